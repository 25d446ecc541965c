"""Checks the folders that Understudy reads and writes."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from understudy.doctor.finding import Finding
from understudy.files.file_ownership import is_owned, remove_if_left_over
from understudy.registry.files.uploads import PART_PREFIX
from understudy.settings import Settings

_REMEDY = "Let the user that runs Understudy write there, or choose another folder with UNDERSTUDY_HOME."


def check(settings: Settings, *, fix: bool) -> Iterator[Finding]:
    """Find folders that are missing or cannot be written, and what interrupted uploads left.

    With `fix`, missing folders are created, and permissions are changed where the user owns the folder. `var/` and its
    content may be missing: they are created when they are needed.
    """
    own = (settings.var_dir, settings.compiled_dir)
    for folder in (settings.home, settings.models_dir, *(each for each in own if os.path.lexists(each))):
        if not folder.exists():
            yield from _check_missing(folder, fix=fix)
        elif (reason := _try_to_write(folder)) is not None:
            finding = Finding("folder_unwritable", str(folder), f"The folder cannot be written: {reason}.", _REMEDY)
            yield finding.as_fixed() if fix and _make_writable(folder) else finding
    yield from _check_uploads(settings.models_dir, fix=fix)


def _check_uploads(models: Path, *, fix: bool) -> Iterator[Finding]:
    """Find files of interrupted uploads, which a killed server leaves; a running upload holds a lock on its file."""
    for part in sorted(models.glob(f"{PART_PREFIX}*")):
        finding = Finding(
            "upload_left_over", str(part), "An interrupted upload left this file.", "Remove it: understudy doctor --fix"
        )
        try:
            if is_owned(part) or (fix and not remove_if_left_over(part)):
                continue
        except FileNotFoundError:  # the upload ended meanwhile
            continue
        except OSError as error:
            what = f"An upload's temporary file cannot be examined: {error.strerror}."
            yield Finding("upload_left_over", str(part), what, _REMEDY)
        else:
            yield finding.as_fixed() if fix else finding


def _check_missing(folder: Path, *, fix: bool) -> Iterator[Finding]:
    finding = Finding("folder_missing", str(folder), "The folder does not exist.", "Create it: understudy doctor --fix")
    if not fix:
        yield finding
        return
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        yield Finding("folder_missing", str(folder), f"The folder cannot be created: {error.strerror}.", _REMEDY)
    else:
        yield finding.as_fixed()


def _try_to_write(folder: Path) -> str | None:
    """Write a file and return the reason of the refusal, or None. Permission bits do not show read-only mounts."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _make_writable(folder: Path) -> bool:
    try:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IRWXU)
    except OSError:
        return False
    return _try_to_write(folder) is None and os.access(folder, os.R_OK | os.X_OK)
