"""Probes fit the model, and none is longer than the server accepts."""

import io
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from understudy.inference.proof.probe_clips import ProbeClip, make_probe_clips
from understudy.inference.proof.probe_tensors import ABSURD, make_probe_tensors
from understudy.schemas.compiler.report import CompileReport, ParityProbe, TensorSignature
from understudy.schemas.compiler.spec import InputKind, OutputActivation, Spec

SPEC = Spec(
    input=InputKind.WAVEFORM,
    sample_rate=8_000,
    window_seconds=1.5,
    labels=("a",),
    labels_named=True,
    activation=OutputActivation.NONE,
)


def read(clip: ProbeClip) -> tuple[NDArray[Any], int]:
    samples, rate = soundfile.read(io.BytesIO(clip.content), dtype="float32")
    return samples, rate


def list_synthetic(spec: Spec) -> list[ProbeClip]:
    return [clip for clip in make_probe_clips(spec, 600.0) if not clip.name.startswith("the demo clip")]


def measure_seconds(clip: ProbeClip) -> float:
    samples, rate = read(clip)
    return len(samples) / rate


def test_probes_of_one_window_hold_what_their_names_say() -> None:
    clips = {clip.name: read(clip) for clip in make_probe_clips(SPEC, 600.0) if clip.comparable}
    assert {(len(samples), rate) for samples, rate in clips.values()} == {(12_000, 8_000)}
    level = {name: float(np.abs(samples).max()) for name, (samples, _) in clips.items()}
    assert level.pop("noise") == pytest.approx(0.4, abs=0.1)
    assert level == {
        "digital silence": 0.0,
        "a full-scale square wave": 1.0,
        "a click in silence": 1.0,
        "a constant offset": 0.5,
        "sound of one 16-bit step": 2**-15,
        "clipped noise": 1.0,
        "samples far beyond full scale": 100.0,
    }
    assert np.count_nonzero(clips["a click in silence"][0]) == 1
    assert np.mean(np.abs(clips["clipped noise"][0]) == 1) > 0.5


@pytest.mark.parametrize(
    ("window", "seconds", "long"), [(1.5, 1.5, 3.75), (0.96, 0.96, 2.4), (20.0, 3.0, 30.0), (None, 1.0, 10.0)]
)
def test_lengths_follow_the_window(window: float | None, seconds: float, long: float) -> None:
    clips = list_synthetic(SPEC.model_copy(update={"window_seconds": window}))
    assert {measure_seconds(clip) for clip in clips if clip.comparable} == {seconds}
    assert [measure_seconds(clip) for clip in clips if not clip.comparable] == pytest.approx([0.05, long])


def test_no_probe_is_longer_than_the_limit() -> None:
    assert max(measure_seconds(clip) for clip in make_probe_clips(SPEC, 0.5)) == 0.5


def test_model_at_the_recordings_own_rate_has_probes() -> None:
    clips = list_synthetic(SPEC.model_copy(update={"sample_rate": "file"}))
    assert {read(clip)[1] for clip in clips} == {16_000, 44_100}


def test_demo_clips_are_among_the_probes() -> None:
    names = [clip.name for clip in make_probe_clips(SPEC, 600.0)]
    assert names[-2:] == ["the demo clip alarm_beep.wav", "the demo clip clock_tick.wav"]


@pytest.fixture
def report() -> CompileReport:
    inputs = tuple(
        TensorSignature(name=name, dtype=name, shape=(None, 3)) for name in ("float16", "float32", "int64", "bool")
    )
    return CompileReport(
        key="",
        source_digest="",
        source_bytes=0,
        format="onnx",
        framework="",
        written_by=None,
        inputs=inputs,
        outputs=(),
        spec=SPEC,
        graph_activation=OutputActivation.NONE,
        parity=(ParityProbe(input_shapes=((2, 3),) * 4, max_abs_error=0, tolerance=0),),
        onnx_digest="",
        onnx_bytes=0,
        seconds=0,
        peak_memory_bytes=0,
        isolation=(),
        versions={},
        compiled_at=datetime.now(UTC),
    )


def test_tensors_have_the_compared_shapes_and_types(report: CompileReport) -> None:
    probes = make_probe_tensors(report)
    assert list(probes) == ["zeros", "ones", "zeros and ones", ABSURD]
    for tensors in probes.values():
        assert {name: (values.dtype.name, values.shape) for name, values in tensors.items()} == {
            tensor.name: (tensor.dtype, (2, 3)) for tensor in report.inputs
        }
    assert probes[ABSURD]["int64"].ravel()[:2].tolist() == [-(2**63), 2**63 - 1]
    assert np.isfinite(probes[ABSURD]["float32"]).all()
    assert probes[ABSURD]["bool"].ravel()[:2].tolist() == [False, True]


def test_dimensions_without_a_comparison_are_one(report: CompileReport) -> None:
    tensors = make_probe_tensors(report.model_copy(update={"parity": ()}))["ones"]
    assert {values.shape for values in tensors.values()} == {(1, 3)}
