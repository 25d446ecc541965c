"""The process that forks workers may start before the server needs it, and is not left over."""

import os

import pytest

from understudy.engine.workers.fork_process import ForkProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="worker processes are for Linux")


def test_a_process_is_taken_once_and_ends_with_its_channel() -> None:
    started = ForkProcess.start()
    assert (started.take(), started.take()) == (True, False)
    started.discard()  # not any more
    assert started.process.poll() is None
    started.end.close()
    assert started.process.wait(timeout=60) == 0


def test_a_process_that_nobody_took_is_ended() -> None:
    started = ForkProcess.start()
    started.discard()
    assert started.process.returncode is not None
    assert not started.take()


def test_a_process_that_has_ended_cannot_be_taken() -> None:
    started = ForkProcess.start()
    started.process.kill()
    started.process.wait(timeout=60)
    assert not started.take()
    started.end.close()
