"""The model files behind the rows: where they are, what they contain, whether they changed."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from cachetools import LRUCache

from understudy.compiler import model_source
from understudy.errors import FileChanged, FileMissing, FormatUnknown, PathRefused, TooLarge
from understudy.registry.files import paths
from understudy.registry.files.sidecar import read_spec, sidecar_path
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

_REMEMBERED = 4096


@dataclass(frozen=True)
class FileFacts:
    """A file as it was read: SHA-256 in hex, size in bytes, and the cheap mark it had at that time."""

    path: str
    digest: str
    bytes: int
    fingerprint: str


@dataclass(frozen=True)
class FileState:
    """A file as it is now, compared with what was recorded of it."""

    exists: bool
    changed: bool
    bytes: int | None


class ModelFiles:
    """Model files of one home folder. All methods block on the disk: call them in a worker thread.

    Paths are relative to the home folder, with either kind of slash. Digests are remembered by path and fingerprint,
    so that a file is hashed once for as long as its size and times stay the same.
    """

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._max_bytes = settings.max_model_bytes
        self._digests: LRUCache[tuple[Path, str], str] = LRUCache(_REMEMBERED)
        self._guard = Lock()

    def normalize_path(self, path: str) -> str:
        """The path as it is stored; raises PathRefused."""
        return paths.normalize_path(path)

    def resolve(self, path: str) -> Path:
        """The place on this machine, links followed; raises PathRefused when it is outside the home folder."""
        return paths.contained(self._home, path)

    def exists(self, path: str) -> bool:
        """True for a file or folder inside the home folder."""
        try:
            place = self.resolve(path)
        except PathRefused:
            return False
        return place.is_file() or place.is_dir()

    def read(self, path: str) -> FileFacts:
        """Hash the file or SavedModel folder.

        Raises PathRefused, FileMissing, FormatUnknown for a folder that is no SavedModel, TooLarge beyond
        `max_model_bytes`, FileChanged when it is being written.
        """
        place = self._present(path)
        before, size = _fingerprint(place)
        if size > self._max_bytes:
            raise TooLarge(
                f"{path} has {size} bytes, and model files may have {self._max_bytes}.",
                remedy="Register a smaller file, or raise UNDERSTUDY_MAX_MODEL_BYTES.",
            )
        digest = self._digest(place, before)
        if _fingerprint(place)[0] != before:
            raise FileChanged(f"{path} changed while it was read.", remedy="Wait until it is written, then try again.")
        return FileFacts(paths.normalize_path(path), digest, size, before)

    def sidecar(self, path: str) -> PartialSpec | None:
        """The spec beside the file, None without one; raises SpecInvalid, PathRefused for a link that leads out."""
        beside = sidecar_path(paths.normalize_path(path), folder=self.resolve(path).is_dir())
        place = self.resolve(beside)
        return read_spec(place, beside) if place.exists() else None

    def state(self, path: str, recorded: FileFacts | None) -> FileState:
        """Compare with the record by size and times; only where these differ is the content hashed. Never raises."""
        if recorded is not None and self._untouched(path, recorded):
            return FileState(exists=True, changed=False, bytes=recorded.bytes)
        try:
            place = self._present(path)
            mark, size = _fingerprint(place)
            changed = recorded is not None and self._differs(place, mark, size, recorded)
        except (FileMissing, FormatUnknown, PathRefused, OSError):
            exists = self.exists(path)
            return FileState(exists=exists, changed=exists and recorded is not None, bytes=None)
        return FileState(exists=True, changed=changed, bytes=size)

    def states(self, wanted: Sequence[tuple[str, FileFacts | None]]) -> list[FileState]:
        return [self.state(path, recorded) for path, recorded in wanted]

    def verified(self, recorded: FileFacts) -> Path:
        """The place of the file if its content is what was recorded.

        Raises PathRefused, FileMissing, FormatUnknown or FileChanged.
        """
        place = self._present(recorded.path)
        mark, size = _fingerprint(place)
        if self._differs(place, mark, size, recorded):
            raise FileChanged(f"{recorded.path} is no longer the file that was registered ({recorded.digest[:12]}…).")
        return place

    def _untouched(self, path: str, recorded: FileFacts) -> bool:
        """Whether one look finds the file as it was when its place was checked and its content read.

        Following every link of a page of 100 costs more than all the rest of the page.
        """
        try:
            found = os.stat(f"{self._home}/{path}")  # noqa: PTH116
        except (OSError, ValueError):
            return False
        return stat.S_ISREG(found.st_mode) and _mark(found) == recorded.fingerprint

    def _present(self, path: str) -> Path:
        place = self.resolve(path)
        try:
            mode = place.stat().st_mode
        except OSError as error:
            raise FileMissing(f"{path} cannot be found in the backend folder: {error.strerror}.") from error
        if stat.S_ISDIR(mode):
            if not (place / "saved_model.pb").is_file():
                raise FormatUnknown(f"{path} is a folder without saved_model.pb.")
        elif not stat.S_ISREG(mode):
            raise FormatUnknown(f"{path} is neither a file nor a folder.")
        return place

    def _differs(self, place: Path, mark: str, size: int, recorded: FileFacts) -> bool:
        if mark == recorded.fingerprint:
            return False
        return size != recorded.bytes or self._digest(place, mark) != recorded.digest

    def _digest(self, place: Path, mark: str) -> str:
        key = (place, mark)
        with self._guard:
            if (known := self._digests.get(key)) is not None:
                return known
        try:
            digest = model_source.compute_digest(place)
        except OSError as error:
            raise FileMissing(
                f"{place.name} cannot be read: {error.strerror}.", remedy="Let the user that runs Understudy read it."
            ) from error
        with self._guard:
            self._digests[key] = digest
        return digest


def _fingerprint(place: Path) -> tuple[str, int]:
    """A mark of size and modification time, of a folder over all its files, and the size in bytes."""
    found = place.stat()
    if not stat.S_ISDIR(found.st_mode):
        return _mark(found), found.st_size
    total = 0
    mark = sha256()
    for folder, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            entry = Path(folder, name)
            about = entry.lstat()
            total += about.st_size
            mark.update(f"{entry.relative_to(place).as_posix()}\0{about.st_size}-{about.st_mtime_ns}\n".encode())
    return mark.hexdigest(), total


def _mark(file: os.stat_result) -> str:
    return f"{file.st_size}-{file.st_mtime_ns}"
