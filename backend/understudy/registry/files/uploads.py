"""Stores model files that clients upload."""

import hashlib
import os
import sys
from collections.abc import AsyncIterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import anyio
from anyio.to_thread import run_sync
from filelock import lock_descriptor, unlock_descriptor

from understudy.disk_errors import translate_disk_errors
from understudy.errors import BodyTooLarge, FileExists, FormatUnknown, PathRefused
from understudy.regular_file import open_regular
from understudy.schemas.registry.model_file import UploadedFile
from understudy.settings import Settings

SUFFIXES = (".keras", ".h5", ".hdf5", ".tflite", ".onnx", ".spec.json")
_CHUNK_BYTES = 1 << 20
PART_PREFIX = ".upload-"


class Uploads:
    """Writes uploads into `models/`.

    An upload has a temporary name until it is complete, is hashed while it is written, and never overwrites a file.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.models_dir
        self._max_bytes = settings.max_model_bytes

    async def receive(self, name: str, chunks: AsyncIterable[bytes]) -> UploadedFile:
        """Store `chunks` as `models/<name>`.

        Raises PathRefused for a name that is more than a file name, FormatUnknown for an ending that no model file
        has, FileExists, BodyTooLarge above `max_model_bytes`, and StorageUnavailable. When the upload ends early, the
        temporary file is removed.
        """
        _check_name(name)
        final = self._folder / name
        if await run_sync(os.path.lexists, final):
            raise _build_conflict(name)
        part = self._folder / f"{PART_PREFIX}{uuid4().hex}"
        digest = hashlib.sha256()
        try:
            with translate_disk_errors(self._folder):
                size = await self._write(part, chunks, digest)
                await run_sync(_publish, part, final)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(lambda: part.unlink(missing_ok=True))
        return UploadedFile(file_path=f"models/{name}", bytes=size, digest=digest.hexdigest())

    async def _write(self, part: Path, chunks: AsyncIterable[bytes], digest: "hashlib._Hash") -> int:
        size, buffered = 0, bytearray()
        with await run_sync(_create_locked, part) as file:

            def flush() -> None:
                digest.update(buffered)
                file.write(buffered)
                buffered.clear()

            async for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise BodyTooLarge(
                        f"The file is larger than {self._max_bytes} bytes.",
                        remedy="Upload a smaller model, or raise UNDERSTUDY_MAX_MODEL_BYTES.",
                    )
                buffered += chunk
                if len(buffered) >= _CHUNK_BYTES:
                    await run_sync(flush)
            await run_sync(flush)
            await run_sync(_sync, file)
        return size


def is_being_written(part: Path) -> bool:
    """True while a process writes the temporary file of an upload: the process holds a lock until it ends.

    Raises OSError for a file that cannot be opened and on a file system without locks.
    """
    with open_regular(part) as file:
        if not lock_descriptor(file.fileno(), blocking=False):
            return True
        unlock_descriptor(file.fileno())
        return False


def _create_locked(part: Path) -> BinaryIO:
    file = part.open("xb")
    with suppress(OSError):  # a file system without locks; `is_being_written` raises there
        lock_descriptor(file.fileno())
    return file


def _check_name(name: str) -> None:
    if (
        not name.isprintable()
        or Path(name).name != name
        or "\\" in name
        or "\0" in name
        or name.startswith(".")
        or len(name) > 200
    ):
        raise PathRefused(f"{name!r} is not a plain file name.", remedy="Send the name alone, without folders.")
    if not name.lower().endswith(SUFFIXES):
        raise FormatUnknown(f"{name} does not end in one of {', '.join(SUFFIXES)}.")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _publish(part: Path, final: Path) -> None:
    """Give the complete file its final name in one step, which fails when the name is taken."""
    try:
        if sys.platform == "win32":
            part.rename(final)
        else:
            os.link(part, final)
    except FileExistsError:
        raise _build_conflict(final.name) from None


def _build_conflict(name: str) -> FileExists:
    return FileExists(f"models/{name} exists already.", remedy="Choose another name; an upload never overwrites.")
