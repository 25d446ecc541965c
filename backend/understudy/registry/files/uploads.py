"""Model files that arrive over the network."""

import hashlib
import os
import sys
from collections.abc import AsyncIterable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import anyio
from anyio.to_thread import run_sync

from understudy.disk_errors import translate_disk_errors
from understudy.errors import BodyTooLarge, FileExists, FormatUnknown, PathRefused
from understudy.schemas.registry.model_file import UploadedFile
from understudy.settings import Settings

SUFFIXES = (".keras", ".h5", ".hdf5", ".tflite", ".onnx", ".spec.json")
_CHUNK_BYTES = 1 << 20
PART_PREFIX = ".upload-"


class Uploads:
    """Writes into `models/`: under a temporary name first, hashed on the way, and never over a file that is there."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.models_dir
        self._max_bytes = settings.max_model_bytes

    async def receive(self, name: str, chunks: AsyncIterable[bytes]) -> UploadedFile:
        """Store `chunks` as `models/<name>`.

        Raises PathRefused for a name that is more than a file name, FormatUnknown for an ending that no model file
        has, FileExists, BodyTooLarge past `max_model_bytes`, and StorageUnavailable. Whatever ends the stream early, a
        client that goes away included, leaves nothing behind.
        """
        self._check(name)
        final = self._folder / name
        if await run_sync(os.path.lexists, final):
            raise _exists(name)
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

    def _check(self, name: str) -> None:
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
            raise FormatUnknown(f"{name} does not end like a model file ({', '.join(SUFFIXES)}).")

    async def _write(self, part: Path, chunks: AsyncIterable[bytes], digest: "hashlib._Hash") -> int:
        size, held = 0, bytearray()
        with await run_sync(lambda: part.open("xb")) as file:

            def flush() -> None:
                digest.update(held)
                file.write(held)
                held.clear()

            async for chunk in chunks:
                size += len(chunk)
                if size > self._max_bytes:
                    raise BodyTooLarge(
                        f"The file is larger than {self._max_bytes} bytes.",
                        remedy="Upload a smaller model, or raise UNDERSTUDY_MAX_MODEL_BYTES.",
                    )
                held += chunk
                if len(held) >= _CHUNK_BYTES:
                    await run_sync(flush)
            await run_sync(flush)
            await run_sync(_sync, file)
        return size


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _publish(part: Path, final: Path) -> None:
    """Give the finished file its name in one step that fails where the name is taken."""
    try:
        if sys.platform == "win32":
            part.rename(final)
        else:
            os.link(part, final)
    except FileExistsError:
        raise _exists(final.name) from None


def _exists(name: str) -> FileExists:
    return FileExists(f"models/{name} is there already.", remedy="Choose another name; an upload never overwrites.")
