"""A request that could not begin in time is refused at once, by what the answers before it took."""

import pytest

from understudy.engine.workers.backlog import Backlog
from understudy.errors import Overloaded


def test_waiting_work_is_estimated_from_the_answers_of_its_kind() -> None:
    backlog = Backlog(workers=2, limit_seconds=1.0)
    ticket = backlog.admit(b"RIFF", 1_000, refuse=True)
    backlog.leave(ticket, 0.5)
    assert backlog.wait_seconds == 0
    tickets = [backlog.admit(b"RIFF", 1_000, refuse=True) for _ in range(5)]
    assert backlog.wait_seconds == pytest.approx(5 * 0.5 / 2)
    with pytest.raises(Overloaded, match=r"takes about 1 s; a request may wait 1 s") as refused:
        backlog.admit(b"OggS", 10, refuse=True)
    assert refused.value.retry_after == 1
    backlog.leave(tickets[0], None)
    backlog.leave(tickets[1], None)
    backlog.admit(b"OggS", 10, refuse=True)


def test_work_that_may_wait_is_counted_and_never_refused() -> None:
    backlog = Backlog(workers=1, limit_seconds=0.001)
    for _ in range(3):
        backlog.admit(b"RIFF", 1 << 20, refuse=False)
    assert backlog.wait_seconds > 0.1
