"""Keeps backbones by their digest in a folder that the workers may read."""

import fcntl
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from understudy.backbones.store import MANIFEST_FILE, read_backbone, verify_backbone
from understudy.engine.engine import BackboneFile
from understudy.errors import BackboneMissing
from understudy.files.known_digests import KnownDigests

_LOCK = ".lock"
_TEMPORARY = ".new-"


class KeptBackbones:
    """The backbones that this process keeps: linked, or copied where the file system has no links.

    YAMNet becomes the file `<digest>.onnx`, and an installed backbone the folder `<digest>`. So a worker that starts
    later loads the same bytes, whatever has become of the installed file. What a process keeps is locked until it ends.
    The methods block on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: dict[Path, int] = {}
        self._digests = KnownDigests()

    def keep(self, backbone: BackboneFile) -> BackboneFile:
        """Return the kept backbone.

        Raises BackboneMissing where the file cannot be read, and OSError where the folder cannot be written.
        """
        installed = backbone.path.name == MANIFEST_FILE
        kept = self._folder / (backbone.digest if installed else f"{backbone.digest}.onnx")
        self._folder.mkdir(parents=True, exist_ok=True)
        with _lock(self._folder):
            if not self._is_kept(kept, backbone.digest):
                _keep(backbone.path.parent if installed else backbone.path, kept)
                if kept in self._marks:
                    os.close(self._marks.pop(kept))
            if kept not in self._marks:
                self._marks[kept] = _mark(kept)
        return BackboneFile(kept / MANIFEST_FILE if installed else kept, backbone.digest)

    def _is_kept(self, kept: Path, digest: str) -> bool:
        """Return whether `kept` is there and was not changed: a link shares the changes of the file it was made of."""
        if kept.is_dir():
            manifest = read_backbone(kept)
            return manifest is not None and verify_backbone(kept, manifest, self._digests.compute)
        try:
            return self._digests.compute(kept) == digest
        except OSError:
            return False

    def close(self) -> None:
        """Let go of all kept backbones: a later start of a server removes those that nothing needs."""
        while self._marks:
            os.close(self._marks.popitem()[1])


def remove_unused_backbones(folder: Path, needed: set[str]) -> list[str]:
    """Delete kept backbones that no process holds, and what interrupted copies left; return the names.

    Files by other names than digests are int8 variants, of which `needed` names those that stay. Raises OSError where
    the folder cannot be read.
    """
    if not folder.is_dir():
        return []
    removed = []
    with _lock(folder):
        for entry in sorted(folder.iterdir()):
            if entry.name == _LOCK or entry.name in needed:
                continue
            with suppress(OSError):
                if entry.name.startswith(_TEMPORARY) or not _is_held(entry):
                    _remove(entry)
                    removed.append(entry.name)
    return removed


def _lock(folder: Path) -> FileLock:
    """Return the lock under which backbones appear and disappear; it is held for moments."""
    return FileLock(folder / _LOCK, fallback_to_soft=False)


def _mark(kept: Path) -> int:
    """Return a descriptor that tells other processes that the backbone is in use."""
    descriptor = os.open(kept, os.O_RDONLY | os.O_CLOEXEC)
    with suppress(OSError):  # a file system without locks: nothing is removed there, see `_is_held`
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def _is_held(kept: Path) -> bool:
    descriptor = os.open(kept, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _keep(source: Path, kept: Path) -> None:
    """Make `kept` from a file or folder, so that it is complete or not there. What lies there gives way."""
    temporary = kept.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
    try:
        if source.is_dir():
            shutil.copytree(source, temporary, copy_function=_link)
        else:
            _link(source, temporary)
        if kept.is_dir():
            shutil.rmtree(kept)
        temporary.rename(kept)
    except FileNotFoundError as error:
        raise BackboneMissing(f"There is no backbone at {source}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):
            temporary.unlink()


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
