"""Content of any length beside a message: in its payload, or in a file whose descriptor travels with it."""

import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, cast

from understudy.engine.wire.channel import MAX_INLINE, Frame, ProtocolError

_BLOCK = 1 << 20
# Above this size, content goes to a file on disk and not into memory.
_MAX_MEMORY_FILE = 64 << 20


@dataclass(slots=True)
class Content:
    """Bytes that fit into a message, or the descriptor of a file that holds them."""

    payload: bytes = b""
    descriptor: int | None = None
    owned: bool = False

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.payload) if self.descriptor is None else os.fstat(self.descriptor).st_size

    @property
    def kind(self) -> bytes:
        """The first four bytes, which differ between the formats of recordings."""
        return self.payload[:4] if self.descriptor is None else os.pread(self.descriptor, 4, 0)

    @property
    def descriptors(self) -> list[int]:
        return [] if self.descriptor is None else [self.descriptor]

    def close(self) -> None:
        """Close the file, unless it is the caller's own."""
        if self.owned and self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor = None


def pack(parts: Iterable[bytes | memoryview]) -> Content:
    """Return the parts, one behind the other, as content. Raises OSError where a file cannot be written."""
    kept = list(parts)
    if sum(map(len, kept)) <= MAX_INLINE:
        return Content(b"".join(kept))
    descriptor = _create_file(sum(map(len, kept)))
    try:
        for part in kept:
            _write(descriptor, part)
    except BaseException:
        os.close(descriptor)
        raise
    return Content(descriptor=descriptor, owned=True)


def pack_file(source: BinaryIO) -> Content:
    """Return the content of a seekable file, which stays open; a file on disk is handed over as it is.

    Blocks the thread for long content that is not on disk. Raises what reading raises, and OSError.
    """
    if getattr(source, "_rolled", True):  # `fileno` of a SpooledTemporaryFile in memory would write it to disk
        with suppress(OSError):  # io.UnsupportedOperation is one
            descriptor = source.fileno()
            source.flush()
            return Content(descriptor=descriptor)
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    if size <= MAX_INLINE:
        return Content(source.read())
    descriptor = _create_file(size)
    try:
        while block := source.read(_BLOCK):
            _write(descriptor, block)
    except BaseException:
        os.close(descriptor)
        raise
    return Content(descriptor=descriptor, owned=True)


def is_in_memory(source: BinaryIO) -> bool:
    """Return whether the file is short and lies in memory, so that `pack_file` blocks for no time."""
    if isinstance(source, io.BytesIO):
        return source.getbuffer().nbytes <= _BLOCK
    return getattr(source, "_rolled", True) is False


def unpack(frame: Frame, limit: int) -> bytes:
    """Return the content of a message, of `limit` bytes at most, and close its descriptors.

    The bytes are copied: the sender may still change its file. Raises ProtocolError for longer content and for a
    descriptor that is not a file's.
    """
    try:
        if not frame.descriptors:
            return frame.payload
        found = os.fstat(frame.descriptors[0])
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise ProtocolError(f"content of {found.st_size} bytes; {limit} are allowed")
        content = bytearray()
        while len(content) < found.st_size:
            block = os.pread(frame.descriptors[0], min(_BLOCK, found.st_size - len(content)), len(content))
            if not block:
                break
            content += block
        return bytes(content)
    finally:
        frame.close()


@contextmanager
def open_content(frame: Frame) -> Iterator[BinaryIO]:
    """Yield the content of a message as a seekable file, and close its descriptors afterwards."""
    try:
        if not frame.descriptors:
            yield io.BytesIO(frame.payload)
            return
        descriptor = frame.descriptors.pop()
        os.lseek(descriptor, 0, os.SEEK_SET)
        with os.fdopen(descriptor, "rb") as file:
            yield cast("BinaryIO", file)
    finally:
        frame.close()


def _create_file(size: int) -> int:
    """Return the descriptor of a new file without a name."""
    if size <= _MAX_MEMORY_FILE and hasattr(os, "memfd_create"):
        return os.memfd_create("understudy", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _write(descriptor: int, part: bytes | memoryview) -> None:
    view = memoryview(part)
    while len(view):
        view = view[os.write(descriptor, view) :]
