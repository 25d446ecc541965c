"""Puts files and folders into an object store, and gets them from it, part by part."""

import hashlib
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock
from pydantic import ValidationError

from understudy.errors import StoredFileDamaged
from understudy.files.disk_errors import translate_disk_errors
from understudy.files.regular_file import open_regular
from understudy.object_store.manifest import PART_BYTES, Manifest, StoredFile
from understudy.object_store.objects import Objects


class SharedFiles:
    """Files by name, such as `sources/DIGEST`. What is stored under a name never changes. All methods block.

    A part is an object named by its SHA-256. So a transfer that was cut goes on with the parts that are missing, equal
    parts are stored once, and each is verified.
    """

    def __init__(self, objects: Objects, partial: Path) -> None:
        """Keep the parts of unfinished downloads in the folder `partial`."""
        self._objects = objects
        self._partial = partial

    @property
    def store_digest(self) -> str:
        """Name the store: another address or endpoint has another digest."""
        return self._objects.digest

    def has(self, name: str, *, quick: bool = False) -> bool:
        """Return whether the store has all of it. Raises StoreUnavailable and StoreDenied, with `quick` soon."""
        return self._objects.exists(_key(name), quick=quick)

    def publish(self, name: str, path: Path, is_right: Callable[[Manifest], bool]) -> bool:
        """Store a file, or a folder with its regular files, unless the store has it; return whether it has it now.

        The manifest is written last: what is in the store is complete. Nothing is written under the name where
        `is_right` refuses the manifest, because the files were changed meanwhile. Raises StoreUnavailable, StoreDenied
        and OSError.
        """
        if self.has(name):
            return True
        folder = path.is_dir()
        paths = sorted(each for each in path.rglob("*") if each.is_file()) if folder else [path]
        files = [self._publish_file(each, each.relative_to(path).as_posix() if folder else each.name) for each in paths]
        manifest = Manifest(folder=folder, files=tuple(files))
        if not is_right(manifest):
            return False
        self._objects.create(_key(name), manifest.model_dump_json().encode())
        return True

    def fetch(self, name: str, target: Path, is_right: Callable[[Path], bool] = lambda _: True) -> bool:
        """Get a file or folder to the path `target`; return False where the store has none.

        What lies at `target` already stays where `is_right` says so, else it gives way. What arrived before a cut is
        used, and what `is_right` refuses does not reach `target`.

        Raises StoreUnavailable, StoreDenied, StoredFileDamaged, and StorageUnavailable for the disk.
        """
        content = self._objects.read(_key(name))
        if content is None:
            return False
        try:
            manifest = Manifest.model_validate_json(content)
        except ValidationError as error:
            raise build_damaged(name, f"its manifest has {error.error_count()} faults") from None
        with translate_disk_errors(self._partial):
            self._partial.mkdir(parents=True, exist_ok=True)
            folder = self._partial / hashlib.sha256(name.encode()).hexdigest()
            # Another thread or process of this home may fetch the same.
            with FileLock(folder.with_suffix(".lock"), fallback_to_soft=False):
                if not (target.exists() and is_right(target)):
                    self._fetch_to(name, manifest, folder)
                    made = folder if manifest.folder else folder / manifest.files[0].path
                    try:
                        if not is_right(made):
                            raise build_damaged(name, "its files are not those that were stored under this name")
                        _replace(target, made)
                    finally:
                        shutil.rmtree(folder, ignore_errors=True)
        return True

    def _fetch_to(self, name: str, manifest: Manifest, folder: Path) -> None:
        for file in manifest.files:
            place = folder / file.path
            place.parent.mkdir(parents=True, exist_ok=True)
            self._fetch_file(name, file, place)

    def _fetch_file(self, name: str, file: StoredFile, place: Path) -> None:
        begun = _count_parts(file, place)
        with place.open("r+b" if begun else "wb") as target:
            target.truncate(begun * PART_BYTES)
            target.seek(0, 2)
            for digest in file.parts[begun:]:
                part = self._objects.read(_part_key(digest))
                if part is None:
                    raise build_damaged(name, f"a part of {file.path} is missing")
                if hashlib.sha256(part).hexdigest() != digest:
                    raise build_damaged(name, f"a part of {file.path} is not what its manifest says")
                target.write(part)
                target.flush()
        with open_regular(place) as whole:
            right = hashlib.file_digest(whole, "sha256").hexdigest() == file.digest
        if not right:
            place.unlink()
            raise build_damaged(name, f"{file.path} is not what its manifest says")

    def _publish_file(self, path: Path, name: str) -> StoredFile:
        whole, size, parts = hashlib.sha256(), 0, []
        with open_regular(path) as file:
            while part := _read_part(file):
                whole.update(part)
                size += len(part)
                digest = hashlib.sha256(part).hexdigest()
                if not self._objects.exists(_part_key(digest)):
                    self._objects.create(_part_key(digest), part)
                parts.append(digest)
        return StoredFile(path=name, size=size, digest=whole.hexdigest(), parts=tuple(parts))


def build_damaged(name: str, reason: str) -> StoredFileDamaged:
    """Return the error for a stored file that cannot be used."""
    return StoredFileDamaged(f"{name} in the store is damaged: {reason}.")


def _replace(target: Path, made: Path) -> None:
    """Move `made` to `target`, which may lie on another disk, so that nobody finds half of it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside, before = (target.with_name(f".new-{uuid.uuid4().hex}") for _ in range(2))
    try:
        shutil.move(made, beside)
        with suppress(FileNotFoundError):
            target.rename(before)
        beside.rename(target)
    finally:
        for path in (beside, before):
            remove(path)


def remove(path: Path) -> None:
    """Delete a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _key(name: str) -> str:
    return f"{name}.json"


def _part_key(digest: str) -> str:
    return f"parts/{digest[:2]}/{digest}"


def _read_part(file: BinaryIO) -> bytes:
    return file.read(PART_BYTES)


def _count_parts(file: StoredFile, place: Path) -> int:
    """Return how many whole parts of the file are at `place` already."""
    count = 0
    with suppress(OSError), open_regular(place) as begun:
        for digest in file.parts[:-1]:  # the last one may be shorter
            if hashlib.sha256(_read_part(begun)).hexdigest() != digest:
                break
            count += 1
    return count
