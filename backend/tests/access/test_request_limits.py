"""Each principal has limits of its own, and nobody pays for those of another."""

import pytest

from tests.access.credentials.test_failed_attempts import Clock
from understudy.access.caller import OPEN, STRANGER, Caller, Limits
from understudy.access.request_limits import RequestLimits
from understudy.errors import LimitReached
from understudy.models import PrincipalKind
from understudy.schemas.access.role import Role
from understudy.settings import Settings

SETTINGS = Settings(request_limits={"device": 2}, concurrency_limits={"device": 1, "viewer": 2})


def make(principal_id: int, role: Role = Role.DEVICE, limits: Limits | None = None) -> Caller:
    return Caller(PrincipalKind.KEY, principal_id, f"key {principal_id}", role, limits=limits or Limits())


def send(limits: RequestLimits, caller: Caller) -> int:
    """Send a request that ends at once; return the seconds that it is told to wait, or 0."""
    found = limits.find(caller)
    assert found is not None
    try:
        with limits.enter(caller, found):
            return 0
    except LimitReached as error:
        return error.retry_after


def test_who_has_no_limit_is_not_counted() -> None:
    limits = RequestLimits(SETTINGS)
    assert [limits.find(each) for each in (OPEN, STRANGER, make(1, Role.ADMIN))] == [None, None, None]
    assert RequestLimits(Settings()).find(make(1)) is None


def test_requests_past_the_rate_wait_until_a_token_is_there() -> None:
    clock = Clock()
    limits = RequestLimits(SETTINGS, clock)
    assert [send(limits, make(1)) for _ in range(4)] == [0, 0, 1, 1]
    assert send(limits, make(2)) == 0
    clock.now += 0.5
    assert [send(limits, make(1)) for _ in range(2)] == [0, 1]
    clock.now += 3600
    assert [send(limits, make(1)) for _ in range(3)] == [0, 0, 1]


def test_a_slow_rate_says_how_long_to_wait() -> None:
    clock = Clock()
    limits, slow = RequestLimits(SETTINGS, clock), make(1, limits=Limits(requests_per_second=0.1))
    assert [send(limits, slow) for _ in range(2)] == [0, 10]
    clock.now += 9.5
    assert send(limits, slow) == 1
    clock.now += 0.5
    assert send(limits, slow) == 0


def test_running_requests_are_counted_until_they_end_or_fail() -> None:
    limits, viewer = RequestLimits(SETTINGS), make(1, Role.VIEWER)
    found = limits.find(viewer)
    assert found is not None
    with limits.enter(viewer, found):
        failing = limits.enter(viewer, found)
        failing.__enter__()
        with pytest.raises(LimitReached, match="2 requests running"):
            limits.enter(viewer, found).__enter__()
        with limits.enter(viewer, found, works=False):
            assert sum(limits._running.values()) == 2
        fault = RuntimeError("the second request fails")
        assert not failing.__exit__(type(fault), fault, None)
        assert send(limits, viewer) == 0
    assert not limits._running


def test_a_key_s_own_limit_takes_the_place_of_that_of_its_role() -> None:
    limits = RequestLimits(SETTINGS)
    assert limits.find(make(1, limits=Limits(concurrent_requests=7))) == Limits(2, 7)
    assert limits.find(make(1, Role.ADMIN, Limits(requests_per_second=9))) == Limits(9, None)
