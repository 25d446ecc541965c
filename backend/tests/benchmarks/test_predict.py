import pytest

from benchmarks.groups.predict import disagreement, lasting
from benchmarks.wire import Answer


@pytest.mark.parametrize(("rate", "seconds"), [(1000.0, 2.0), (32.0, 4.0), (1.0, 6.0), (0.0, 6.0)])
def test_slow_servers_get_longer_but_not_for_ever(rate: float, seconds: float) -> None:
    assert lasting(2.0, 32, rate) == seconds


def test_an_answer_within_the_tolerance_agrees() -> None:
    assert disagreement(Answer("cry", 0.5004), Answer("cry", 0.5)) is None


@pytest.mark.parametrize("answer", [Answer("rain", 0.5), Answer("cry", 0.6)])
def test_another_label_or_score_is_told(answer: Answer) -> None:
    assert "cry 0.5000" in (disagreement(answer, Answer("cry", 0.5)) or "")
