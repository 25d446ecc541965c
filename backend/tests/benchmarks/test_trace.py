from pathlib import Path

import pytest

from benchmarks.trace import NEAR, STEADY, Request, Swap, judge, read_traces

SWAP = Swap(began=10.0, ended=10.1, generation=2)


def answer(began: float, ended: float, generation: int | None, status: int = 200) -> Request:
    return Request(began, ended, status, generation)


def steady(*more: Request) -> list[Request]:
    """Answers of 10 ms every 20 ms from 8 to 12 s, of the generation that is live; one that spans the swap may be."""
    times = [8 + 0.02 * step for step in range(200)]
    regular = [answer(at, at + 0.01, 1 if at < SWAP.ended else 2) for at in times]
    return sorted([*regular, *more], key=lambda request: request.ended)


def test_a_clean_swap_has_nothing_to_blame() -> None:
    found = judge(steady(), 1, [SWAP])
    assert (found["requests"], found["failed"], found["stale"], found["wrong"]) == (200, 0, 0, 0)
    assert found[NEAR] == pytest.approx(10)
    assert found[STEADY] == pytest.approx(10)
    assert found["longest gap"] == pytest.approx(20)
    assert found["swap call"] == pytest.approx(100)
    assert found["call to first new answer"] == pytest.approx(110)


def test_an_old_answer_to_a_request_after_the_call_is_stale() -> None:
    assert judge(steady(answer(10.15, 10.16, 1)), 1, [SWAP])["stale"] == 1


def test_an_old_answer_to_a_request_before_the_call_returned_is_not() -> None:
    assert judge(steady(answer(10.05, 10.2, 1)), 1, [SWAP])["stale"] == 0


def test_a_generation_that_was_not_live_yet_is_wrong() -> None:
    assert judge(steady(answer(9.0, 9.01, 2)), 1, [SWAP])["wrong"] == 1


def test_refusals_and_answers_without_a_generation_failed() -> None:
    found = judge(steady(answer(9.0, 9.01, None), answer(9.1, 9.2, 1, status=503)), 1, [SWAP])
    assert found["failed"] == 2


def test_a_gap_counts_only_around_a_swap() -> None:
    far = [request for request in steady() if not 8.5 < request.ended < 8.9]
    found = judge(far, 1, [SWAP])
    assert found["longest gap"] == pytest.approx(20)
    assert found["gap otherwise"] == pytest.approx(400, rel=0.1)


def test_the_traces_of_all_threads_are_read_in_order_of_the_answers(tmp_path: Path) -> None:
    (tmp_path / "trace.0").write_text("1.000000 1.300000 200 4\n")
    (tmp_path / "trace.1").write_text("1.100000 1.200000 503 -\n")
    assert read_traces(tmp_path / "trace") == [Request(1.1, 1.2, 503, None), Request(1.0, 1.3, 200, 4)]
