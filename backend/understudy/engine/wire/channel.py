"""Messages with file descriptors between the server's process and one of its workers."""

import array
import asyncio
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

# A message travels whole or not at all; the kernel takes about 200 kB. Longer content goes into a file, which a
# descriptor hands over.
MAX_INLINE = 64 << 10
_MAX_MESSAGE = 160 << 10
_MAX_DESCRIPTORS = 2
_LENGTH = struct.Struct("<I")


class ProtocolError(Exception):
    """The other side sent what no working process sends."""


@dataclass(slots=True)
class Frame:
    """One message: a JSON document, bytes behind it, and descriptors, which the receiver owns."""

    head: bytes
    payload: bytes
    descriptors: list[int]

    def close(self) -> None:
        """Close the descriptors that nobody has taken over."""
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()


class Channel:
    """One end of a socket pair of type SOCK_SEQPACKET. Use it on one event loop."""

    def __init__(
        self, end: socket.socket, on_frame: Callable[[Frame], None], on_closed: Callable[[ProtocolError | None], None]
    ) -> None:
        """`on_closed` is called once, when the other side is gone or has sent what nobody may send."""
        end.setblocking(False)
        self._end = end
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._buffer = bytearray(_MAX_MESSAGE)
        self._unsent: deque[tuple[list[bytes | memoryview], list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._loop.add_reader(end, self._receive)

    def send(self, head: bytes, payload: bytes | memoryview = b"", descriptors: Sequence[int] = ()) -> None:
        """Send a message, in order; the caller keeps its descriptors. A channel that is closed sends nothing."""
        if not self._open:
            return
        parts: list[bytes | memoryview] = [_LENGTH.pack(len(head)), head, payload]
        if self._unsent or not self._try_send(parts, descriptors):
            if not self._unsent:
                self._loop.add_writer(self._end, self._send_rest)
            self._unsent.append((parts, [os.dup(descriptor) for descriptor in descriptors]))

    def close(self) -> None:
        """Close this end; `on_closed` is not called."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._end)
            if self._unsent:
                self._loop.remove_writer(self._end)
            for _, descriptors in self._unsent:
                for descriptor in descriptors:
                    os.close(descriptor)
            self._unsent.clear()
            self._end.close()

    def _try_send(self, parts: list[bytes | memoryview], descriptors: Sequence[int]) -> bool:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self._end.sendmsg(parts, rights)
        except BlockingIOError:
            return False
        except OSError:  # the other side is gone, which the reader reports
            return True
        return True

    def _send_rest(self) -> None:
        while self._unsent:
            parts, descriptors = self._unsent[0]
            if not self._try_send(parts, descriptors):
                return
            self._unsent.popleft()
            for descriptor in descriptors:
                os.close(descriptor)
        self._loop.remove_writer(self._end)

    def _receive(self) -> None:
        while self._open:
            try:
                frame = receive_frame(self._end, self._buffer)
            except BlockingIOError:
                return
            except (OSError, ProtocolError) as error:
                self._end_with(error if isinstance(error, ProtocolError) else None)
                return
            if frame is None:
                self._end_with(None)
                return
            self._on_frame(frame)

    def _end_with(self, error: ProtocolError | None) -> None:
        self.close()
        self._on_closed(error)


def receive_frame(end: socket.socket, buffer: bytearray) -> Frame | None:
    """Return the next message, or None when the other side is closed.

    Raises OSError as the socket does, and ProtocolError for a message that is longer than any may be.
    """
    size, control, flags, _ = end.recvmsg_into(
        [buffer], socket.CMSG_SPACE(_MAX_DESCRIPTORS * 4), getattr(socket, "MSG_CMSG_CLOEXEC", 0)
    )
    descriptors = array.array("i")
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    if size == 0:
        return None
    head = _LENGTH.size + (_LENGTH.unpack_from(buffer)[0] if size >= _LENGTH.size else size)
    if head > size or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)
        raise ProtocolError(f"a message of {size} bytes is not whole")
    view = memoryview(buffer)
    return Frame(bytes(view[_LENGTH.size : head]), bytes(view[head:size]), list(descriptors))


def send_frame(end: socket.socket, head: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a message on a blocking socket. Raises OSError."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    end.sendmsg([_LENGTH.pack(len(head)), head], rights)


def create_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends. Raises OSError where the platform has no such sockets."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
