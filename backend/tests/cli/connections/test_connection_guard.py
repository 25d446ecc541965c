"""Idle connections make room for new ones, in the documented order."""

from dataclasses import dataclass, field

from understudy.cli.connections.connection_guard import ConnectionGuard, ConnectionLimits, Room
from understudy.cli.connections.descriptors import count_connections


@dataclass(eq=False)
class Client:
    head_since: float | None = None
    dropped: bool = field(default=False, init=False)

    def check(self, now: float) -> None: ...

    def drop(self) -> None:
        self.dropped = True


def _fill(number: int) -> tuple[ConnectionGuard, list[Client]]:
    guard = ConnectionGuard(ConnectionLimits(number, head_seconds=1, transfer_seconds=1))
    clients = [Client() for _ in range(number)]
    assert [guard.admit(each) for each in clients] == [Room.ALL] * number
    return guard, clients


def test_the_one_that_has_been_idle_for_the_longest_time_makes_room() -> None:
    guard, (first, second, third) = _fill(3)
    guard.set_busy(first)
    guard.set_idle(first)
    assert guard.admit(Client()) is Room.ALL
    assert [first.dropped, second.dropped, third.dropped] == [False, True, False]


def test_without_an_idle_one_the_oldest_head_makes_room() -> None:
    guard, clients = _fill(3)
    for each, since in zip(clients, (None, 7.0, 5.0), strict=True):
        guard.set_busy(each)
        each.head_since = since
    assert guard.admit(Client()) is Room.ALL
    assert [each.dropped for each in clients] == [False, False, True]


def test_running_requests_keep_their_connections_and_leave_a_reserve() -> None:
    guard, clients = _fill(3)
    for each in clients:
        guard.set_busy(each)
    rooms = []
    for _ in range(28):
        newcomer = Client()
        rooms.append(guard.admit(newcomer))
        guard.set_busy(newcomer)
    assert rooms == [Room.MANAGEMENT] * 16 + [Room.HEALTH] * 8 + [None] * 4
    assert not any(each.dropped for each in clients)


def test_a_connection_of_the_reserve_that_makes_room_gives_no_room_for_work() -> None:
    guard, clients = _fill(3)
    for each in clients:
        guard.set_busy(each)
    slow = Client()
    assert guard.admit(slow) is Room.MANAGEMENT
    guard.set_busy(slow)
    slow.head_since = 1.0
    assert guard.admit(Client()) is Room.MANAGEMENT
    assert slow.dropped


def test_a_socket_counts_and_is_not_dropped() -> None:
    guard, (first, *_) = _fill(3)
    guard.forget(first)
    guard.add_socket("socket")
    assert guard.admit(Client()) is Room.ALL
    assert not first.dropped
    guard.add_socket("another")
    assert not guard.has_room_for_endless()
    guard.forget_socket("another")
    assert guard.has_room_for_endless()


def test_each_connection_may_need_three_descriptors() -> None:
    assert count_connections(256, 10_000) == 58
    assert count_connections(65_536, 10_000) == 10_000
    assert count_connections(65_536, 100) == 100
    assert count_connections(64, 10_000) == 8
