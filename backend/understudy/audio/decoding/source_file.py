"""File objects from which audio is read."""

from typing import Protocol


class Source(Protocol):
    """A seekable binary file object, such as a spooled upload."""

    def read(self, count: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...


class Stream:
    """Gives a decoder only reading and seeking: no file name to resolve references against, and no `close`.

    A damaged header can make a decoder seek before the start of the file. Python's files raise an exception for that,
    in the middle of a C callback; this class seeks to the start instead, and the decoder fails on the bytes there.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.read = source.read
        self.tell = source.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._source.seek(offset, whence)
        except ValueError:
            return self._source.seek(0)

    def seekable(self) -> bool:
        return True
