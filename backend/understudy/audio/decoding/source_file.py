"""File objects from which audio is read."""

from bisect import bisect_right
from itertools import accumulate
from typing import Protocol

_LARGEST = 1 << 40


class Source(Protocol):
    """A seekable binary file object, such as a spooled upload."""

    def read(self, count: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...


class Stream:
    """Gives a decoder only reading and seeking: no file name to resolve references against, and no `close`.

    A damaged header can make a decoder seek before the start of the file, or behind what a file can hold. Python's
    files raise an exception for that, in the middle of a C callback; this class seeks to the start instead, and the
    decoder fails on the bytes there.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.read = source.read
        self.tell = source.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._source.seek(offset, whence)
        except (ValueError, OverflowError, OSError):
            return self._source.seek(0)

    def seekable(self) -> bool:
        return True


class PartOfFile:
    """The bytes from `start` to before `end` of a file, as a file of their own."""

    def __init__(self, source: Source, start: int, end: int) -> None:
        self._source = source
        self._start = start
        self._end = end
        source.seek(start)

    def read(self, count: int = -1, /) -> bytes:
        left = max(0, self._end - self._source.tell())
        return self._source.read(left if count < 0 else min(count, left))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Raises ValueError for a position before the start, as Python's files do."""
        if whence:
            offset += self.tell() if whence == 1 else self._end - self._start
        if offset < 0:
            raise ValueError(f"negative position {offset}")
        return self._source.seek(self._start + offset) - self._start

    def tell(self) -> int:
        return self._source.tell() - self._start


class PartsOfFile:
    """Stretches of a file in a row, as a file of their own. Each stretch is (first byte, byte behind the last)."""

    def __init__(self, source: Source, parts: list[tuple[int, int]]) -> None:
        self._source = source
        self._parts = parts
        self._starts = [0, *accumulate(end - start for start, end in parts)]
        self._at = 0

    def read(self, count: int = -1, /) -> bytes:
        left = max(0, self._starts[-1] - self._at)
        count = left if count < 0 else min(count, left)
        data = b""
        while len(data) < count:
            index = bisect_right(self._starts, self._at) - 1
            start, end = self._parts[index]
            begin = start + self._at - self._starts[index]
            part = read_at(self._source, begin, min(count - len(data), end - begin))
            if not part:
                break
            data += part
            self._at += len(part)
        return data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Raises ValueError for a position before the start, as Python's files do."""
        at = offset + (0, self._at, self._starts[-1])[whence]
        if at < 0:
            raise ValueError(f"negative position {at}")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at


def measure_size(source: Source) -> int:
    """Return the size of a seekable file in bytes; leaves its position at the start."""
    size = source.seek(0, 2)
    source.seek(0)
    return size


def read_at(source: Source, offset: int, count: int) -> bytes:
    """Return up to `count` bytes from `offset` on; none from a tebibyte on, where a damaged header may point."""
    if offset >= _LARGEST:  # files refuse to seek there, each at another number and with another error
        return b""
    source.seek(offset)
    return source.read(count)
