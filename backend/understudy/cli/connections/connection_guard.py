"""Bounds the number of connections of one server, and closes those that wait too long."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

# Connections past the limit, for the management of models, and past those for health checks and metrics.
_FOR_MANAGEMENT = 16
_FOR_HEALTH = 8


class Room(IntEnum):
    """The requests that a connection may send."""

    HEALTH = 1
    """Health checks and metrics only."""
    MANAGEMENT = 2
    """Requests that need the connection for a short time only."""
    ALL = 3


class Connection(Protocol):
    """A connection over which requests come."""

    @property
    def head_since(self) -> float | None:
        """The time since which the head of a request arrives, or None."""
        ...

    def check(self, now: float) -> None:
        """Close the connection where its client takes too long. `now` is the event loop's time."""
        ...

    def drop(self) -> None:
        """Close the connection, which has no request."""
        ...


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of one server; times are seconds."""

    connections: int
    head_seconds: float
    transfer_seconds: float

    @property
    def endless(self) -> int:
        """Most event streams and WebSockets, which nobody may be able to end: requests need connections too."""
        return self.connections * 3 // 4


class ConnectionGuard:
    """Knows the connections of one server. Use it on the event loop only.

    Where too many are open, the one that has been idle for the longest time makes room; then the one that has been
    sending the head of a request for the longest time.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.endless: set[object] = set()  # connections with an event stream or a WebSocket
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # the one that has been idle for the longest time is the first
        self._sockets: set[object] = set()

    def admit(self, connection: Connection) -> Room | None:
        """Note a new connection, and return what there is room for; None: the caller closes it."""
        self._open.add(connection)
        self._idle[connection] = None
        excess = len(self._open) + len(self._sockets) - self.limits.connections
        while excess > 0 and self._make_room(connection):
            excess -= 1
        if excess <= 0:
            return Room.ALL
        if excess <= _FOR_MANAGEMENT:
            return Room.MANAGEMENT
        if excess <= _FOR_MANAGEMENT + _FOR_HEALTH:
            return Room.HEALTH
        self.forget(connection)
        return None

    def add_socket(self, socket: object) -> None:
        """Note a connection that has become a WebSocket."""
        self._sockets.add(socket)
        self.endless.add(socket)

    def forget(self, connection: Connection) -> None:
        """Note that a connection has ended or has become a WebSocket."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        self.endless.discard(connection)

    def forget_socket(self, socket: object) -> None:
        self._sockets.discard(socket)
        self.endless.discard(socket)

    def set_idle(self, connection: Connection) -> None:
        """Note that a connection has no request any more."""
        if connection in self._open:
            self._idle[connection] = None

    def set_busy(self, connection: Connection) -> None:
        """Note that a request arrives on a connection."""
        self._idle.pop(connection, None)

    def has_room_for_endless(self) -> bool:
        return len(self.endless) < self.limits.endless

    def check_all(self, now: float) -> None:
        """Close the connections whose clients take too long."""
        for connection in list(self._open):
            connection.check(now)

    def _make_room(self, newcomer: Connection) -> bool:
        oldest = next((each for each in self._idle if each is not newcomer), None)
        if oldest is None:
            since = [(each.head_since, each) for each in self._open]
            heads = [(at, each) for at, each in since if at is not None]
            oldest = min(heads, key=lambda head: head[0])[1] if heads else None
        if oldest is None:
            return False
        self.forget(oldest)
        oldest.drop()
        return True
