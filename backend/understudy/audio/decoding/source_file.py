"""File objects that audio is read from."""

from typing import Protocol


class Source(Protocol):
    """A seekable binary file object, such as a spooled upload."""

    def read(self, count: int = ..., /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...


class Stream:
    """What decoders may use of a source: no name to resolve references against, and no way to close it.

    A damaged header can make a decoder seek before the start, which Python's files answer with an exception in the
    middle of a C callback; here such a seek goes to the start, and the decoder fails by what it reads there.
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
