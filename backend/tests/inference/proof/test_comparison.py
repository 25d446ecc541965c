"""An answer is compared with what its example says, and the difference is named in words."""

import pytest

from understudy.inference.proof.comparison import compare_answer
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.registry.examples import (
    ClipProof,
    Example,
    ExampleSet,
    ExamplesProof,
    Expectation,
    summarize_examples,
)

SCORES = {"siren": 0.7, "noise": 0.2, "speech": 0.1}


def compare(label: str | None = None, scores: dict[str, float] | None = None, file: str = "a.wav") -> ClipProof:
    expected = Expectation(file=file, label=label, scores=scores or {})
    return compare_answer(expected, "siren", SCORES, tolerance=0.01)


def summarize(*clips: ClipProof) -> str:
    proof = ExamplesProof(
        compiled_key="k", examples_digest="d", backbone_digest=None, program="p", clips=clips, seconds=0.1
    )
    assert proof.precision is Precision.FLOAT32
    examples = ExampleSet(
        examples=tuple(Example(file=clip.file, label="siren", digest="0" * 64, bytes=1) for clip in clips)
    )
    return summarize_examples(examples, proof).text


@pytest.mark.parametrize(
    ("label", "scores", "agrees"),
    [
        ("siren", None, True),
        ("noise", None, False),
        (None, {"noise": 0.209}, True),
        (None, {"noise": 0.211}, False),
        ("siren", {"siren": 0.7, "speech": 0.15}, False),
        ("noise", {"siren": 0.7}, False),
    ],
)
def test_the_label_must_be_the_same_and_every_named_score_within_the_tolerance(
    label: str | None, scores: dict[str, float] | None, agrees: bool
) -> None:
    assert compare(label, scores).agrees is agrees


def test_the_largest_difference_is_named_with_both_scores() -> None:
    found = compare("noise", {"siren": 0.69, "noise": 0.6})
    assert (found.differs_at, found.expected_score, found.served_score) == ("noise", 0.6, 0.2)
    assert found.describe() == (
        "a.wav: the model answers 'siren', the example says 'noise'; the score of 'noise' is 0.2, the example says 0.6 "
        "(difference 0.4, accepted 0.01)."
    )


@pytest.mark.parametrize(("label", "scores"), [("dog", None), (None, {"dog": 0.5})])
def test_a_label_that_the_model_does_not_have_is_a_miss(label: str | None, scores: dict[str, float] | None) -> None:
    found = compare(label, scores)
    assert found.agrees is False
    assert found.describe() == (
        "a.wav cannot be compared: the model has no label 'dog'; its labels are siren, noise, speech."
    )


def test_the_summary_counts_rounds_up_and_names_the_worst_clip() -> None:
    agreeing = compare("siren", {"siren": 0.7021})
    assert summarize(agreeing, compare("siren")) == "2 of 2 within 0.003"
    assert summarize(compare("siren")) == "1 of 1 get the expected label"
    assert summarize(compare(None, {"siren": 0.7})) == "1 of 1 within 1e-06"
    worst = compare(None, {"siren": 0.1}, "worst.wav")
    text = summarize(agreeing, compare(None, {"siren": 0.6}, "near.wav"), worst)
    assert text.startswith("1 of 3 agree; worst.wav: the score of 'siren' is 0.7, the example says 0.1")
