"""The cyclic garbage collector during the start of a process."""

import gc

import pytest

from understudy.cli.garbage_collection import pause_garbage_collection


def test_it_stops_during_a_start_and_skips_the_objects_of_the_start_later() -> None:
    try:
        with pause_garbage_collection():
            assert not gc.isenabled()
            kept: list[object] = [[]]
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert not any(each is kept for each in gc.get_objects())
    finally:
        gc.unfreeze()


def test_it_goes_on_after_a_start_that_failed() -> None:
    with pytest.raises(ValueError, match="no start"), pause_garbage_collection():
        raise ValueError("no start")
    gc.unfreeze()
    assert gc.isenabled()
