"""The arrangement of a spec is applied to samples, or refused."""

from typing import Any

import numpy as np
import pytest

from understudy.errors import SpecInvalid
from understudy.inference.clip_input.model_input import choose_model_input
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.presets.presets import read_preset
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec, Spec

WAVEFORM = GraphTensor("x", np.dtype(np.float32), (None, None))
PATCHES = GraphTensor("x", np.dtype(np.float32), (None, 96, 64))


def make_spec(kind: InputKind, arrangement: Any) -> Spec:
    given = PartialSpec.model_validate({"arrangement": arrangement})
    assert given.arrangement is not None
    return Spec(
        input=kind,
        arrangement=given.arrangement,
        window_seconds=None,
        labels=("a", "b"),
        labels_named=True,
        activation=OutputActivation.NONE,
    )


def test_samples_are_standardized_as_the_preset_of_wav2vec2_says() -> None:
    spec = make_spec(InputKind.WAVEFORM, read_preset("wav2vec2-waveform")["arrangement"])
    cutter = choose_model_input(spec, WAVEFORM).framing.make_cutter(60.0, 16_000)
    samples = (0.1 + 0.01 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)
    [(_, item)] = [*cutter.push(samples), *cutter.finish()]
    expected = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    np.testing.assert_allclose(item, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "tensor", "arrangement"),
    [
        (InputKind.WAVEFORM, WAVEFORM, {"frames": {"count": 10}}),
        (InputKind.WAVEFORM, WAVEFORM, {"layout": {"channel": "last"}}),
        (InputKind.LOG_MEL_PATCH, PATCHES, {"standardize": {"kind": "per_clip"}}),
    ],
)
def test_an_arrangement_that_would_not_be_applied_is_refused(
    kind: InputKind, tensor: GraphTensor, arrangement: Any
) -> None:
    with pytest.raises(SpecInvalid, match="arrangement"):
        choose_model_input(make_spec(kind, arrangement), tensor)
