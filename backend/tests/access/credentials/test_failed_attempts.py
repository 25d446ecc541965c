"""Guessing gets slower; nobody can lock another person out."""

import pytest

from understudy.access.credentials.failed_attempts import FailedAttempts
from understudy.errors import TooManyAttempts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(clock: Clock) -> FailedAttempts:
    return FailedAttempts(clock)


def wait_for(attempts: FailedAttempts, address: str, login: str | None = None) -> int:
    """Return the seconds that an attempt has to wait now; 0 where it may be made."""
    try:
        attempts.check(address, login)
    except TooManyAttempts as error:
        return error.retry_after
    return 0


def test_the_wait_doubles_for_a_name_from_any_address(attempts: FailedAttempts, clock: Clock) -> None:
    waits = []
    for number in range(16):
        address = f"10.0.0.{number}"
        clock.now += wait_for(attempts, address, "root")
        attempts.record_failure(address, "root")
        waits.append(wait_for(attempts, "10.0.1.1", "root"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert wait_for(attempts, "10.0.1.1", "anna") == 0


def test_an_address_that_tries_many_names_waits_for_all_of_them(attempts: FailedAttempts) -> None:
    for number in range(20):
        attempts.record_failure("10.0.0.1", f"name {number}")
    assert wait_for(attempts, "10.0.0.1", "another") == 1
    assert wait_for(attempts, "10.0.0.2", "another") == 0


def test_a_network_of_ipv6_counts_as_one_address(attempts: FailedAttempts) -> None:
    for number in range(20):
        attempts.record_failure(f"2001:db8::{number:x}", f"name {number}")
    assert wait_for(attempts, "2001:db8::ffff", "another") == 1
    assert wait_for(attempts, "2001:db8:1::1", "another") == 0


def test_a_success_forgets_the_failures(attempts: FailedAttempts) -> None:
    for _ in range(5):
        attempts.record_failure("10.0.0.1", "root")
    attempts.record_success("10.0.0.1", "root")
    assert wait_for(attempts, "10.0.0.1", "root") == 0


def test_failures_of_others_do_not_lock_a_person_out_of_their_own_machine(attempts: FailedAttempts) -> None:
    attempts.record_success("10.0.0.1", "root")
    for number in range(10):
        attempts.record_failure(f"10.9.0.{number}", "root")
    assert wait_for(attempts, "10.0.0.1", "root") == 0
    assert wait_for(attempts, "10.0.0.2", "root") == 32
    for _ in range(5):
        attempts.record_failure("10.0.0.1", "root")
    assert wait_for(attempts, "10.0.0.1", "root") == 1


def test_failures_of_an_hour_ago_are_forgotten(attempts: FailedAttempts, clock: Clock) -> None:
    for _ in range(5):
        attempts.record_failure("10.0.0.1", "root")
    clock.now += 3601
    attempts.record_failure("10.0.0.1", "root")
    assert wait_for(attempts, "10.0.0.1", "root") == 0
