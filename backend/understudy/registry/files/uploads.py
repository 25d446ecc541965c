"""Stores model files that clients upload."""

import hashlib
import os
import sys
from collections.abc import AsyncIterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import anyio
import structlog
from anyio.to_thread import run_sync

from understudy.errors import BodyTooLarge, FileExists, FormatUnknown, PathRefused
from understudy.files.disk_errors import translate_disk_errors
from understudy.files.file_ownership import create_owned, remove_if_left_over
from understudy.files.thread_opening import open_on_thread
from understudy.registry.files.paths import is_reserved_on_windows
from understudy.schemas.registry.model_file import UploadedFile
from understudy.settings import Settings

log = structlog.get_logger()

SUFFIXES = (".keras", ".h5", ".hdf5", ".tflite", ".onnx", ".spec.json")
_CHUNK_BYTES = 1 << 20
_MOST_NAME_BYTES = 200
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

        Raises PathRefused for a name that is more than a file name, too long or reserved on Windows, FormatUnknown for
        an ending that no model file has, FileExists, BodyTooLarge above `max_model_bytes`, and StorageUnavailable. When
        the upload ends early, the temporary file is removed.
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
                await run_sync(_remove_part, part)
        return UploadedFile(file_path=f"models/{name}", bytes=size, digest=digest.hexdigest())

    async def _write(self, part: Path, chunks: AsyncIterable[bytes], digest: "hashlib._Hash") -> int:
        size, buffered = 0, bytearray()
        with await open_on_thread(partial(create_owned, part)) as file:

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


def remove_left_over_uploads(models: Path) -> None:
    """Delete the temporary files of uploads whose processes have ended; a running upload owns its file."""
    for part in models.glob(f"{PART_PREFIX}*"):
        with suppress(OSError):
            if remove_if_left_over(part):
                log.info("interrupted upload removed", file=str(part))


def _remove_part(part: Path) -> None:
    """Delete the temporary file. Whether that succeeds decides nothing: the doctor and the next start remove it."""
    with suppress(OSError):
        part.unlink(missing_ok=True)


def _check_name(name: str) -> None:
    if not name.isprintable() or Path(name).name != name or "\\" in name or "\0" in name or name.startswith("."):
        raise PathRefused(f"{name!r} is not a plain file name.", remedy="Send the name alone, without folders.")
    if (size := len(name.encode("utf-8", "surrogatepass"))) > _MOST_NAME_BYTES:
        raise PathRefused(
            f"The name has {size} bytes in UTF-8; file systems take {_MOST_NAME_BYTES} and a few more for the files "
            "beside it.",
            remedy="Choose a shorter name.",
        )
    if is_reserved_on_windows(name):
        raise PathRefused(
            f"On Windows {name!r} does not name a file: it means a device, a stream or another name.",
            remedy="Choose another name, such as one of letters, digits and hyphens.",
        )
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
