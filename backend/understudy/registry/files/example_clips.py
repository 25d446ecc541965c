"""Keeps the clips of examples below `var/examples/`, each under the digest of its content."""

import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from filelock import AsyncFileLock, Timeout

from understudy.errors import ExamplesInvalid, TooLarge, Unavailable
from understudy.files.disk_errors import translate_disk_errors
from understudy.files.regular_file import read_regular
from understudy.schemas.registry.examples import Example, ExampleSet, Expectation
from understudy.settings import Settings

_CHUNK_BYTES = 1 << 20
_PART_PREFIX = ".new-"
_LOCK = "examples.lock"
# In deadlines of a transaction: the holder stores clips and commits.
_LOCK_WAIT = 3


@dataclass(frozen=True)
class NewExample:
    """Holds what is expected of a clip, and the clip as an open binary file at its start."""

    expected: Expectation
    clip: BinaryIO


class ExampleClips:
    """The clips in one folder for each model file, `var/examples/<digest of the model file>/<digest of the clip>`.

    The methods block on the disk: call them in a worker thread, and `store` and `keep_only` while `lock` is held.
    """

    def __init__(self, settings: Settings) -> None:
        self._root = settings.examples_dir
        self._lock_path = settings.var_dir / _LOCK
        self._lock_seconds = _LOCK_WAIT * settings.database_seconds
        self._most = settings.max_examples
        self._most_bytes_each = settings.max_example_bytes
        self._most_bytes = settings.max_examples_bytes

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Hold the lock of this home's examples while the block runs; raises Unavailable where it does not get free."""
        handle = AsyncFileLock(self._lock_path, timeout=self._lock_seconds, fallback_to_soft=False)
        try:
            await handle.acquire()
        except Timeout as error:
            raise Unavailable(
                f"Another process has been changing examples for more than {self._lock_seconds:g} s.",
                remedy="Send the request again. If it stays so, find the process that holds var/examples.lock.",
            ) from error
        try:
            yield
        finally:
            await handle.release()

    def lock_if_present(self) -> AbstractAsyncContextManager[object]:
        """Return a handle on the lock that creates no file: where there is none, no process of this home holds it."""
        return self.lock() if self._lock_path.exists() else nullcontext()

    def check(self, examples: Sequence[NewExample]) -> None:
        """Raises what `store` raises for the number and the sizes of the clips; the clips are at their start again."""
        if len(examples) > self._most:
            raise ExamplesInvalid(
                f"There are {len(examples)} examples, and a model may have {self._most}.",
                remedy="Give fewer, or raise UNDERSTUDY_MAX_EXAMPLES.",
            )
        left = self._most_bytes
        for each in examples:
            size = each.clip.seek(0, os.SEEK_END)
            each.clip.seek(0)
            self._check_size(each.expected.file, size, left)
            left -= size

    def store(self, model_digest: str, examples: Sequence[NewExample]) -> ExampleSet:
        """Write the clips and return the examples with the digests of their clips.

        Raises ExamplesInvalid for an empty clip and for too many examples, TooLarge, and StorageUnavailable.
        """
        self.check(examples)
        folder = self._root / model_digest
        stored = []
        with translate_disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for each in examples:
                digest, size = _store_clip(folder, each.clip)
                stored.append(Example(**each.expected.model_dump(), digest=digest, bytes=size))
        return ExampleSet(examples=tuple(stored))

    def read(self, model_digest: str, example: Example) -> bytes | None:
        """Return the bytes of a clip; None where it is missing here or is no longer what was stored."""
        try:
            content = read_regular(self._root / model_digest / example.digest)
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == example.digest else None

    def keep_only(self, model_digest: str, examples: ExampleSet | None) -> None:
        """Delete every clip of a model file that `examples` do not name. Raises StorageUnavailable."""
        folder = self._root / model_digest
        wanted = {each.digest for each in examples.examples} if examples else set()
        with translate_disk_errors(folder):
            for path in self._list_files(folder):
                if path.name not in wanted:
                    path.unlink(missing_ok=True)
            if not wanted:
                shutil.rmtree(folder, ignore_errors=True)

    def list_unneeded(self, model_digest: str, examples: ExampleSet | None) -> list[Path]:
        """Return the files in the folder of a model file that `examples` do not name."""
        wanted = {each.digest for each in examples.examples} if examples else set()
        return [path for path in self._list_files(self._root / model_digest) if path.name not in wanted]

    def remove_left_over(self) -> None:
        """Delete what interrupted writes left. Raises StorageUnavailable."""
        with translate_disk_errors(self._root):
            for part in self._root.glob(f"*/{_PART_PREFIX}*"):
                part.unlink(missing_ok=True)

    def list_folders(self) -> list[str]:
        """Return the digests of the model files that have a folder here."""
        return sorted(path.name for path in self._root.iterdir() if path.is_dir()) if self._root.is_dir() else []

    @staticmethod
    def _list_files(folder: Path) -> list[Path]:
        return sorted(path for path in folder.iterdir() if not path.is_dir()) if folder.is_dir() else []

    def _check_size(self, name: str, size: int, left: int) -> None:
        if not size:
            raise ExamplesInvalid(f"The clip {name} is empty.", remedy="Give the recording itself.")
        if size > self._most_bytes_each:
            raise TooLarge(
                f"The clip {name} has {size} bytes, and a clip may have {self._most_bytes_each}.",
                remedy="Cut it, or raise UNDERSTUDY_MAX_EXAMPLE_BYTES.",
            )
        if size > left:
            raise TooLarge(
                f"The clips have more than {self._most_bytes} bytes together.",
                remedy="Give fewer or shorter clips, or raise UNDERSTUDY_MAX_EXAMPLES_BYTES.",
            )


def _store_clip(folder: Path, clip: BinaryIO) -> tuple[str, int]:
    """Copy one clip to a file with the name of its digest; return digest and size in bytes."""
    size, digest = 0, hashlib.sha256()
    with _open_part(folder) as (part, file):
        while chunk := clip.read(_CHUNK_BYTES):
            size += len(chunk)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        part.replace(folder / digest.hexdigest())
    return digest.hexdigest(), size


@contextmanager
def _open_part(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    part = folder / f"{_PART_PREFIX}{uuid4().hex}"
    try:
        with part.open("xb") as file:
            yield part, file
    finally:
        part.unlink(missing_ok=True)
