"""Reads the model files behind the rows and notices when they change."""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from cachetools import LRUCache

from understudy.backbones.store import BackboneStore
from understudy.compiler import model_source
from understudy.compiler.formats.detect_format import refuse_tensorflowjs
from understudy.errors import FileChanged, FileMissing, FormatUnknown, PathRefused, SpecInvalid, TooLarge
from understudy.registry.files import paths
from understudy.registry.files.examples_beside import ExamplesBeside, is_written_for, locate_examples
from understudy.registry.files.label_files import list_paths_beside, read_label_file
from understudy.registry.files.sidecar import fill_scalers, get_sidecar_path, read_spec
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model_detail import LabelFile
from understudy.settings import Settings

_REMEMBERED = 4096


@dataclass(frozen=True)
class FileFacts:
    """A file as it was read: its path, SHA-256 in hex, size in bytes, and its fingerprint at that time.

    The fingerprint is made of size and modification time, for a folder of those of all its files.
    """

    path: str
    digest: str
    bytes: int
    fingerprint: str


@dataclass(frozen=True)
class FileState:
    """A file as it is now, compared with its recorded facts; `bytes` is None when it cannot be read."""

    exists: bool
    changed: bool
    bytes: int | None


class ModelFiles:
    """Model files of one home folder. All methods block on the disk: call them in a worker thread.

    Paths are relative to the home folder, with either kind of slash. Digests are cached by path and fingerprint, so
    that a file is hashed once while its size and modification time stay the same.
    """

    def __init__(self, settings: Settings) -> None:
        self.backbones = BackboneStore(settings.named_backbones_dir)
        self._home = settings.home
        self._max_bytes = settings.max_model_bytes
        self._digests: LRUCache[tuple[Path, str], str] = LRUCache(_REMEMBERED)
        self._guard = Lock()

    def normalize_path(self, path: str) -> str:
        """Return the path as it is stored; raises PathRefused."""
        return paths.normalize_path(path)

    def resolve(self, path: str) -> Path:
        """Return the absolute path with links followed; raises PathRefused when it is outside the home folder."""
        return paths.resolve_inside(self._home, path)

    def exists(self, path: str) -> bool:
        """True when the path is a file or folder inside the home folder."""
        try:
            place = self.resolve(path)
            return place.is_file() or place.is_dir()
        except (PathRefused, OSError, ValueError):
            return False

    def read(self, path: str) -> FileFacts:
        """Hash the file or SavedModel folder.

        Raises PathRefused, FileMissing, FormatUnknown for a folder without a SavedModel, TooLarge above
        `max_model_bytes`, and FileChanged when the file is being written.
        """
        place = self._find(path)
        before, size = _take_fingerprint(place)
        if size > self._max_bytes:
            raise TooLarge(
                f"{path} has {size} bytes, and model files may have {self._max_bytes}.",
                remedy="Register a smaller file, or raise UNDERSTUDY_MAX_MODEL_BYTES.",
            )
        digest = self._digest(place, before)
        if _take_fingerprint(place)[0] != before:
            raise FileChanged(f"{path} changed while it was read.", remedy="Wait until it is written, then try again.")
        return FileFacts(paths.normalize_path(path), digest, size, before)

    def read_sidecar(self, path: str) -> PartialSpec | None:
        """Return the spec beside the file, or None when there is no such file.

        Raises SpecInvalid, and PathRefused for a link that leads out of the home folder.
        """
        beside = get_sidecar_path(paths.normalize_path(path), folder=self.resolve(path).is_dir())
        place = self.resolve(beside)
        return read_spec(place, beside) if _is_present(place) else None

    def read_sidecar_now(self, path: str, recorded: PartialSpec | None) -> PartialSpec | None:
        """Return the spec beside the file, on the backbone that was recorded where the name of it is the same.

        Raises what `read_sidecar` raises.
        """
        sidecar = self.read_sidecar(path)
        return None if sidecar is None else self.backbones.keep(sidecar, recorded)

    def fill_given(self, spec: PartialSpec, path: str) -> PartialSpec:
        """Return a given spec with the numbers of the scaler files beside the model and the digest of its backbone.

        Raises SpecInvalid, and BackboneMissing where the backbone is not installed.
        """
        return self.backbones.pin(fill_scalers(spec, self.resolve(path).parent))

    def read_label_files(self, path: str) -> list[LabelFile]:
        """Return the files beside the model that may hold its labels.

        Never raises: a file that cannot be read is returned without labels, with a note that says why.
        """
        try:
            beside = list_paths_beside(paths.normalize_path(path), folder=self.resolve(path).is_dir())
            return [found for each in beside if (found := self._read_label_file(each)) is not None]
        except (PathRefused, OSError, ValueError):
            return []

    def find_examples(self, path: str, digest: str | None = None) -> ExamplesBeside | None:
        """Return the examples in the folder beside the file; None without any, or where they cannot be looked at.

        `digest` is the file's; without it, it is computed, which raises what `read` raises.
        """
        try:
            normalized = paths.normalize_path(path)
            folder = self.resolve(path).is_dir()
            beside = locate_examples(normalized, folder=folder)
            place = self.resolve(beside)
            if not place.is_file():
                return None
        except (PathRefused, OSError, ValueError):
            return None
        return ExamplesBeside(beside, place, is_written_for(place, digest or self.read(path).digest))

    def _read_label_file(self, path: str) -> LabelFile | None:
        try:
            place = self.resolve(path)
            if not _is_present(place):
                return None
            content = read_label_file(place, path)
        except PathRefused:
            return None
        except SpecInvalid as error:
            return LabelFile(file_path=path, labels=None, note=f"{error.detail} {error.remedy}")
        return LabelFile(file_path=path, labels=content.labels, note=content.note)

    def compare(self, path: str, recorded: FileFacts | None) -> FileState:
        """Compare the file with its recorded facts; the content is hashed only when the fingerprint differs.

        Never raises: a file that cannot be read is missing or changed.
        """
        if recorded is not None and self._is_untouched(path, recorded):
            return FileState(exists=True, changed=False, bytes=recorded.bytes)
        try:
            place = self._find(path)
            mark, size = _take_fingerprint(place)
            changed = recorded is not None and self._differs(place, mark, size, recorded)
        except (FileMissing, FormatUnknown, PathRefused, OSError, ValueError):
            exists = self.exists(path)
            return FileState(exists=exists, changed=exists and recorded is not None, bytes=None)
        return FileState(exists=True, changed=changed, bytes=size)

    def compare_all(self, files: Sequence[tuple[str, FileFacts | None]]) -> list[FileState]:
        """Compare each path with its recorded facts, in the order of `files`."""
        return [self.compare(path, recorded) for path, recorded in files]

    def verify(self, recorded: FileFacts) -> Path:
        """Return the absolute path of the file when its content is the recorded one.

        Raises PathRefused, FileMissing, FormatUnknown and FileChanged.
        """
        place = self._find(recorded.path)
        mark, size = _take_fingerprint(place)
        if self._differs(place, mark, size, recorded):
            raise FileChanged(f"{recorded.path} is no longer the file that was registered ({recorded.digest[:12]}…).")
        return place

    def _is_untouched(self, path: str, recorded: FileFacts) -> bool:
        """True when one stat call finds the recorded fingerprint.

        Links are not resolved here: the path was checked when the file was read, and resolving 100 paths costs more
        than the rest of a page of the list.
        """
        try:
            found = os.stat(f"{self._home}/{path}")  # noqa: PTH116
        except (OSError, ValueError):
            return False
        return stat.S_ISREG(found.st_mode) and _format_fingerprint(found) == recorded.fingerprint

    def _find(self, path: str) -> Path:
        """Return the absolute path of a file or SavedModel folder that exists."""
        place = self.resolve(path)
        try:
            mode = place.stat().st_mode
        except OSError as error:
            raise FileMissing(f"{path} cannot be found in the backend folder: {error.strerror}.") from error
        if stat.S_ISDIR(mode):
            if not (place / "saved_model.pb").is_file():
                refuse_tensorflowjs(place, path)
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


def _is_present(place: Path) -> bool:
    """True when something lies at `place`, even where this user may not read it."""
    try:
        place.lstat()
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
    return True


def _take_fingerprint(place: Path) -> tuple[str, int]:
    """Return the fingerprint and the size in bytes."""
    found = place.stat()
    if not stat.S_ISDIR(found.st_mode):
        return _format_fingerprint(found), found.st_size
    total = 0
    mark = sha256()
    for folder, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            entry = Path(folder, name)
            about = entry.lstat()
            total += about.st_size
            mark.update(os.fsencode(f"{entry.relative_to(place).as_posix()}\0{about.st_size}-{about.st_mtime_ns}\n"))
    return mark.hexdigest(), total


def _format_fingerprint(file: os.stat_result) -> str:
    return f"{file.st_size}-{file.st_mtime_ns}"
