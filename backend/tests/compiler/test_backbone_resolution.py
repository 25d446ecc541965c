"""Specs of backbones, and specs of models on them, that do or do not fit their graphs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tests.embedding_networks import LOG_MEL_SPEC, RATE, SAMPLES_SPEC
from tests.inference.conftest import report
from understudy.compiler.backbone_resolution import choose_embedding, resolve_backbone
from understudy.compiler.spec_resolution import resolve
from understudy.errors import SpecInvalid
from understudy.schemas.compiler.backbone import BackboneManifest, BackboneSpec
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import Assumption, OutputActivation, PartialSpec, Spec

PATCHES = TensorSignature(name="x", dtype="float32", shape=(None, 1, None, 64))
SAMPLES = TensorSignature(name="x", dtype="float32", shape=(None, 4_000))
EMBEDDING = TensorSignature(name="embedding", dtype="float32", shape=(None, 16))
SCORES = TensorSignature(name="y", dtype="float32", shape=(None, 3))
TENSORS = Spec.model_validate({"input": "tensor", "labels": (), "labels_named": False, "activation": "none"})


@pytest.fixture(scope="module")
def backbone() -> BackboneManifest:
    """A backbone of 16 values on windows of 0.5 s every 0.25 s."""
    return BackboneManifest(
        name="samples",
        digest="0" * 64,
        spec=resolve_backbone(BackboneSpec.model_validate(SAMPLES_SPEC), [SAMPLES]),
        output="embedding",
        width=16,
        joinable=True,
        report=report(TENSORS, OutputActivation.NONE, None),
        installed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def resolve_on(backbone: BackboneManifest | None, *shape: int | None, **spec: Any) -> Spec:
    given = PartialSpec.model_validate({"backbone": "samples", "labels": ["a", "b", "c"]} | spec)
    tensor = TensorSignature(name="x", dtype="float32", shape=shape)
    return resolve(given, PartialSpec(), [tensor], [SCORES], OutputActivation.SOFTMAX, backbone)


def test_rate_windows_and_sound_are_the_backbones(backbone: BackboneManifest) -> None:
    found = resolve_on(backbone, None, 16)
    assert (found.sample_rate, found.window_seconds, found.hop_seconds) == (RATE, 0.5, 0.25)
    assert found.assumptions == (Assumption.POOLING,)
    assert found.backbone is not None
    assert (found.backbone.name, found.backbone.width) == ("samples", 16)
    pooled = resolve_on(backbone, None, 16, pooling="mean", window_seconds=2.0)
    assert (pooled.window_seconds, pooled.hop_seconds, pooled.assumptions) == (2.0, 2.0, ())
    assert resolve_on(backbone, None, None, 16).window_seconds is None


@pytest.mark.parametrize(
    ("shape", "spec", "words"),
    [
        ((None, 20), {}, r"'samples' makes embeddings of 16 values, and the model takes x \[None, 20\]"),
        ((None, 20), {"pooling": "mean"}, r"makes items of \[16\], and the model's input x takes \[20\]"),
        ((None, 16), {"sample_rate": 16_000}, "takes sound at 8000 Hz, not at 16000 Hz"),
        ((None, 16), {"window_seconds": 2.0}, "takes windows of 0.5 s, not of 2 s"),
    ],
)
def test_a_model_that_does_not_fit_its_backbone_is_refused(
    backbone: BackboneManifest, shape: tuple[int | None, ...], spec: dict[str, Any], words: str
) -> None:
    with pytest.raises(SpecInvalid, match=words):
        resolve_on(backbone, *shape, **spec)


def test_yamnets_values_never_stand_in_for_a_backbone_that_is_not_given() -> None:
    with pytest.raises(SpecInvalid, match="names the backbone 'samples', and none is given"):
        resolve_on(None, None, 1024)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"front_end": [{"kind": "waveform"}], "arrangement": None}, "'waveform', but the backbone takes"),
        ({"arrangement": None}, r"makes items of \[\?, 64\]"),
        ({"sample_rate": None}, "no `sample_rate`"),
        ({"front_end": None}, "does not say what the backbone takes"),
    ],
)
def test_a_backbones_spec_that_does_not_fit_its_graph_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecInvalid, match=words):
        resolve_backbone(BackboneSpec.model_validate(LOG_MEL_SPEC | changes), [PATCHES])


@pytest.mark.parametrize(
    ("output", "words"), [(None, "does not name"), ("logits", "names the output 'logits'"), ("frames", "is not one")]
)
def test_the_embedding_has_to_be_one_row_for_each_window(output: str | None, words: str) -> None:
    frames = TensorSignature(name="frames", dtype="float32", shape=(None, None, 16))
    with pytest.raises(SpecInvalid, match=words):
        choose_embedding(BackboneSpec(output=output), [EMBEDDING, frames])
    assert choose_embedding(BackboneSpec(output="embedding"), [EMBEDDING, frames]) == ("embedding", 16)
    assert choose_embedding(BackboneSpec(), [EMBEDDING]) == ("embedding", 16)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"labels": ["a"]}, "labels"),
        ({"backbone": "other"}, "backbone"),
        ({"front_end": [{"kind": "yamnet"}]}, "not 'embedding'"),
        ({"tail": "keep"}, "equally long"),
    ],
)
def test_what_belongs_to_a_model_is_refused_in_a_backbones_spec(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        BackboneSpec.model_validate(LOG_MEL_SPEC | document)


def test_a_preset_gives_a_backbone_its_front_end_and_nothing_that_is_a_models() -> None:
    found = BackboneSpec.model_validate({"preset": "birdnet-waveform", "output": "embedding"})
    assert (found.sample_rate, found.window_seconds) == (48_000, 3.0)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"backbone": "mel", "front_end": [{"kind": "mfcc"}]}, "no `front_end` of its own"),
        ({"backbone": "mel", "input": "scores"}, "leave `input` out"),
        ({"backbone": {"name": "mel", "digest": "x"}}, "digest"),
    ],
)
def test_a_models_spec_names_a_backbone_or_a_front_end(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        PartialSpec.model_validate(document)


def test_yamnet_is_the_name_of_the_default() -> None:
    named = PartialSpec.model_validate({"backbone": "yamnet"})
    assert named.to_document() == PartialSpec.model_validate({"input": "embedding"}).to_document()
    assert PartialSpec.model_validate({"backbone": "yamnet", "input": "scores"}).input == "scores"
