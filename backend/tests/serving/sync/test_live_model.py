"""The stage: one reference, moved forwards only."""

from datetime import UTC, datetime
from typing import cast

import pytest

from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.serving.prediction.warm_cache import WarmCache
from understudy.serving.sync.live_model import LiveModel, LiveModelReference, LoadedModel

PIPELINE = cast("Pipeline", object())


def live(model_id: int, generation: int) -> LiveModel:
    identity = ModelIdentity(model_id=model_id, model_name=f"m{model_id}", version="v1", digest="0" * 64)
    return LiveModel(LoadedModel(identity, PIPELINE), generation, datetime.now(UTC))


def test_an_earlier_generation_that_finishes_late_does_not_return_to_the_stage() -> None:
    stage = LiveModelReference()
    assert stage.swap(live(2, generation=2))
    assert not stage.swap(live(1, generation=1))
    assert stage.current is not None
    assert stage.current.model.identity.model_id == 2


def test_a_reference_taken_before_a_swap_keeps_its_model() -> None:
    stage = LiveModelReference()
    stage.swap(live(1, generation=1))
    taken = stage.current
    stage.swap(live(2, generation=2))
    assert taken is not None
    assert taken.model.identity.model_id == 1


@pytest.mark.parametrize(("model_id", "name"), [(1, "new"), (2, "m1")])
def test_a_rename_reaches_the_live_model_only(model_id: int, name: str) -> None:
    stage = LiveModelReference()
    stage.rename(model_id, "new", None)
    stage.swap(live(1, generation=1))
    stage.rename(model_id, "new", None)
    assert stage.current is not None
    assert stage.current.model.identity.model_name == name
    assert stage.current.generation == 1


def test_the_standby_keeps_the_models_used_last() -> None:
    standby = WarmCache(capacity=2)
    pipelines = {key: cast("Pipeline", object()) for key in "abc"}
    standby.put("a", pipelines["a"])
    standby.put("b", pipelines["b"])
    assert standby.get("a") is pipelines["a"]
    standby.put("c", pipelines["c"])
    assert (standby.get("a"), standby.get("b"), standby.get("c")) == (pipelines["a"], None, pipelines["c"])
