"""The live model reference only moves to a later generation."""

from datetime import UTC, datetime
from typing import cast

import pytest

from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, LoadedModel

PIPELINE = cast("Pipeline", object())


def live(model_id: int, generation: int) -> LiveModel:
    identity = ModelIdentity(model_id=model_id, model_name=f"m{model_id}", version="v1", digest="0" * 64)
    return LiveModel(LoadedModel(identity, PIPELINE), generation, datetime.now(UTC))


def test_an_earlier_generation_that_finishes_late_does_not_become_live_again() -> None:
    reference = LiveModelReference()
    assert reference.swap(live(2, generation=2))
    assert not reference.swap(live(1, generation=1))
    assert reference.current is not None
    assert reference.current.model.identity.model_id == 2


def test_a_reference_taken_before_a_swap_keeps_its_model() -> None:
    reference = LiveModelReference()
    reference.swap(live(1, generation=1))
    taken = reference.current
    reference.swap(live(2, generation=2))
    assert taken is not None
    assert taken.model.identity.model_id == 1


@pytest.mark.parametrize(("model_id", "name"), [(1, "new"), (2, "m1")])
def test_a_rename_reaches_the_live_model_only(model_id: int, name: str) -> None:
    reference = LiveModelReference()
    reference.rename(model_id, "new", None)
    reference.swap(live(1, generation=1))
    reference.rename(model_id, "new", None)
    assert reference.current is not None
    assert reference.current.model.identity.model_name == name
    assert reference.current.generation == 1


def test_a_rename_that_was_read_before_a_newer_one_is_left_out() -> None:
    reference = LiveModelReference()
    reference.swap(live(1, generation=1))
    seen = reference.current
    reference.rename(1, "newest", None)
    reference.rename(1, "older", None, seen=seen)
    assert reference.current is not None
    assert reference.current.model.identity.model_name == "newest"


def test_a_model_that_went_live_after_the_look_at_the_database_is_not_rewound() -> None:
    reference = LiveModelReference()
    reference.swap(live(1, generation=5))
    seen = reference.current
    assert seen is not None
    reference.swap(live(2, generation=6))
    reference.rewind(seen, 3)
    assert reference.current is not None
    assert reference.current.generation == 6
