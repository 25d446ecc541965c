"""The folders that Understudy reads and writes."""

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from understudy.doctor.finding import Finding
from understudy.registry.files.uploads import PART_PREFIX
from understudy.settings import Settings

_UPLOAD_SECONDS = 3600.0
_REMEDY = "Let the user that runs Understudy write there, or choose another folder with UNDERSTUDY_HOME."


def look(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Folders that are absent or cannot be written, asked by writing. Missing ones are made, own ones made writable.

    `var/` and what is in it may be absent: whoever needs it makes it.
    """
    own = (settings.var_dir, settings.compiled_dir)
    for folder in (settings.home, settings.models_dir, *(each for each in own if os.path.lexists(each))):
        if not folder.exists():
            yield from _absent(folder, fix=fix)
        elif (reason := _refusal(folder)) is not None:
            finding = Finding("folder_unwritable", str(folder), f"The folder cannot be written: {reason}.", _REMEDY)
            yield finding.fixed() if fix and _opened(folder) else finding
    yield from _left_over(settings.models_dir, fix=fix)


def _left_over(models: Path, *, fix: bool) -> Iterator[Finding]:
    """Parts of uploads that no running upload can still be writing: a server that was killed leaves them."""
    for part in sorted(models.glob(f"{PART_PREFIX}*")):
        if time.time() - part.stat().st_mtime < _UPLOAD_SECONDS:
            continue
        finding = Finding("upload_left_over", str(part), "An upload broke off here.", "Remove it: doctor --fix")
        if fix:
            part.unlink()
        yield finding.fixed() if fix else finding


def _absent(folder: Path, *, fix: bool) -> Iterator[Finding]:
    finding = Finding("folder_missing", str(folder), "The folder does not exist.", "Make it: understudy doctor --fix")
    if not fix:
        yield finding
        return
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        yield Finding("folder_missing", str(folder), f"The folder cannot be made: {error.strerror}.", _REMEDY)
    else:
        yield finding.fixed()


def _refusal(folder: Path) -> str | None:
    """Why nothing can be written; permission bits alone would not tell (read-only mounts, access lists)."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _opened(folder: Path) -> bool:
    try:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)
    except OSError:
        return False
    return _refusal(folder) is None and os.access(folder, os.R_OK | os.X_OK)
