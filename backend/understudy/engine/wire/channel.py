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

# A packet travels whole or not at all; the kernel takes about 200 kB. Longer content goes into a file, which a
# descriptor hands over.
MAX_INLINE = 64 << 10
_MAX_PACKET = 160 << 10
_MAX_DESCRIPTORS = 2
# A packet takes more messages up to these sizes; a message that is longer travels alone.
_FULL_PACKET = 80 << 10
_MOST_MESSAGES = 64
# Packets that are read in one turn of the event loop. What they bring is then dealt with, and its descriptors closed,
# before the next ones: else those that wait would use up this process's descriptors, or keep it from anything else.
_PACKETS_A_TURN = 16
_LENGTHS = struct.Struct("<II")  # of the document and of the bytes behind it


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
    """One end of a socket pair of type SOCK_SEQPACKET. Use it on one event loop.

    Of the messages that are sent in one turn of the event loop, the first travels at once and the others in one packet:
    waking the other process costs more than a short message. It then finds them together and can compute them together.
    """

    def __init__(
        self, end: socket.socket, on_frame: Callable[[Frame], None], on_closed: Callable[[ProtocolError | None], None]
    ) -> None:
        """`on_closed` is called once, when the other side is gone or has sent what nobody may send."""
        end.setblocking(False)
        self._end = end
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._buffer = bytearray(_MAX_PACKET)
        self._packet: list[bytes | memoryview] = []  # parts of the messages of this turn
        self._packet_size = 0
        self._sent_this_turn = False
        self._unsent: deque[tuple[list[bytes | memoryview], list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._loop.add_reader(end, self._receive)

    def send(self, head: bytes, payload: bytes | memoryview = b"", descriptors: Sequence[int] = ()) -> None:
        """Send a message, in order; the caller keeps its descriptors. A channel that is closed sends nothing."""
        if not self._open:
            return
        size = _LENGTHS.size + len(head) + len(payload)
        if self._packet and self._packet_size + size > _FULL_PACKET:
            self._send_packet()
        self._packet += (_LENGTHS.pack(len(head), len(payload)), head, payload)
        self._packet_size += size
        first, self._sent_this_turn = not self._sent_this_turn, True
        if first:
            self._loop.call_soon(self._end_turn)
        # The first goes at once, so that the other process need not wait for the rest of the turn. Descriptors go at
        # once, too: the caller may close them.
        if first or descriptors or len(self._packet) >= 3 * _MOST_MESSAGES:
            self._send_packet(descriptors)

    def close(self) -> None:
        """Close this end; `on_closed` is not called."""
        if self._open:
            self._send_packet()
            self._open = False
            self._loop.remove_reader(self._end)
            if self._unsent:
                self._loop.remove_writer(self._end)
            for _, descriptors in self._unsent:
                for descriptor in descriptors:
                    os.close(descriptor)
            self._unsent.clear()
            self._end.close()

    def _end_turn(self) -> None:
        self._sent_this_turn = False
        self._send_packet()

    def _send_packet(self, descriptors: Sequence[int] = ()) -> None:
        """Send what `send` has gathered, if there is anything; the descriptors belong to the last message."""
        parts, self._packet, self._packet_size = self._packet, [], 0
        if not parts or not self._open:
            return
        if self._unsent or not self._try_send(parts, descriptors):
            if not self._unsent:
                self._loop.add_writer(self._end, self._send_rest)
            self._unsent.append((parts, [os.dup(descriptor) for descriptor in descriptors]))

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
        for _ in range(_PACKETS_A_TURN):
            if not self._open:
                return
            try:
                frames = receive_frames(self._end, self._buffer)
            except BlockingIOError:
                return
            except (OSError, ProtocolError) as error:
                self._end_with(error if isinstance(error, ProtocolError) else None)
                return
            if not frames:
                self._end_with(None)
                return
            for frame in frames:
                if self._open:
                    self._on_frame(frame)
                else:
                    frame.close()

    def _end_with(self, error: ProtocolError | None) -> None:
        self.close()
        self._on_closed(error)


def receive_frames(end: socket.socket, buffer: bytearray) -> list[Frame]:
    """Return the messages of the next packet, at least one, or none when the other side is closed.

    The descriptors belong to the last message. Raises OSError as the socket does, and ProtocolError for a packet that
    is longer than any may be or that ends within a message.
    """
    size, control, flags, _ = end.recvmsg_into(
        [buffer], socket.CMSG_SPACE(_MAX_DESCRIPTORS * 4), getattr(socket, "MSG_CMSG_CLOEXEC", 0)
    )
    descriptors = array.array("i")
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    try:
        frames = _split_packet(memoryview(buffer)[:size], whole=not flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC))
    except ProtocolError:
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)
        raise
    if frames:
        frames[-1].descriptors.extend(descriptors)
    return frames


def _split_packet(packet: memoryview, *, whole: bool) -> list[Frame]:
    """Return the messages without descriptors. Raises ProtocolError where the packet ends within one."""
    if not whole:
        raise ProtocolError(f"a packet of more than {len(packet)} bytes, or with too many descriptors")
    frames, at = [], 0
    while at < len(packet):
        head = at + _LENGTHS.size
        lengths = _LENGTHS.unpack_from(packet, at) if head <= len(packet) else (len(packet), 0)
        payload = head + lengths[0]
        at = payload + lengths[1]
        if at > len(packet):
            raise ProtocolError(f"a packet of {len(packet)} bytes ends within a message")
        frames.append(Frame(bytes(packet[head:payload]), bytes(packet[payload:at]), []))
    return frames


def send_frame(end: socket.socket, head: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a message on a blocking socket. Raises OSError."""
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    end.sendmsg([_LENGTHS.pack(len(head), 0), head], rights)


def create_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends. Raises OSError where the platform has no such sockets."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
