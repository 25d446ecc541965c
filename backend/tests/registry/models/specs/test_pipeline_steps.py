"""The way from a recording to its label names every step, what was changed from the preset, and what is unsaid."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from understudy.compiler.spec_resolution import complete
from understudy.presets.presets import list_presets
from understudy.registry.models.specs.pipeline_steps import describe_pipeline
from understudy.schemas.compiler.report import CompileReport, TensorSignature
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec, Spec
from understudy.schemas.registry.pipeline_step import PipelineStep

Document = dict[str, Any]


def describe(
    document: Document,
    shape: tuple[int | None, ...] = (None, 40),
    activation: OutputActivation = OutputActivation.SOFTMAX,
    scores: int = 2,
) -> dict[str, PipelineStep]:
    """Return the steps by kind; a second part of a front end is `front_end 2`."""
    inputs = (TensorSignature(name="x", dtype="float32", shape=shape),)
    outputs = (TensorSignature(name="y", dtype="float32", shape=(None, scores)),)
    spec = complete(PartialSpec.model_validate(document), inputs, outputs, activation)
    report = SimpleNamespace(spec=spec, inputs=inputs, outputs=outputs, format="onnx", graph_activation=activation)
    steps: dict[str, PipelineStep] = {}
    for step in describe_pipeline(cast("CompileReport", report)):
        steps[f"{step.kind} 2" if step.kind in steps else step.kind] = step
    return steps


def read(step: PipelineStep) -> dict[str, str]:
    return {fact.name: fact.value for fact in step.facts}


def list_changes(steps: dict[str, PipelineStep]) -> dict[str, tuple[str, str]]:
    facts = [fact for step in steps.values() for fact in step.facts]
    return {fact.name: (fact.value, fact.preset_value) for fact in facts if fact.preset_value is not None}


def test_mfcc_of_the_whole_clip() -> None:
    steps = describe({"preset": "librosa-mfcc40-mean", "labels": ["dog", "rain"]})
    assert list(steps) == [
        "recording",
        "sound",
        "windows",
        "front_end",
        "pooling",
        "network",
        "activation",
        "verdict",
    ]
    assert read(steps["sound"]) == {"sample_rate": "22,050 Hz", "channels": "auto", "resampler": "soxr_hq"}
    mfcc = read(steps["front_end"])
    assert steps["front_end"].title == "MFCC"
    assert (mfcc["stft.hop_length"], mfcc["stft.win_length"], mfcc["mel.fmax"], mfcc["n_mfcc"]) == (
        "512",
        "2048",
        "half the sample rate",
        "40",
    )
    assert (mfcc["compression.kind"], mfcc["compression.top_db"]) == ("decibels", "80")
    assert read(steps["pooling"]) == {"pooling": "mean"}
    assert read(steps["windows"])["live stream"] == "no, because of window_seconds"
    assert read(steps["network"])["input"] == "x [?, 40] float32"
    assert read(steps["verdict"])["labels"] == "dog, rain"
    assert not [said for step in steps.values() for said in step.unsaid]


@pytest.mark.parametrize("preset", [preset.name for preset in list_presets()])
def test_a_preset_alone_has_no_changes(preset: str) -> None:
    patches: tuple[int | None, ...] = (None, 96, 64)
    shape = patches if preset == "yamnet-patches" else (None, None)
    assert list_changes(describe({"preset": preset, "labels": ["a", "b"]}, shape)) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sample_rate": 16_000}, {"sample_rate": ("16,000 Hz", "22,050 Hz")}),
        ({"sound": {"resampler": "kaiser_fast"}}, {"resampler": ("kaiser_fast", "soxr_hq")}),
        ({"pooling": ["mean", "std"]}, {"pooling": ("mean + std", "mean")}),
        (
            {"window_seconds": 2.0},
            {"window_seconds": ("2", "none"), "hop_seconds": ("2", "none")},
        ),
        (
            {"front_end": [{"kind": "mfcc", "n_mfcc": 40, "stft": {"n_fft": 1024}}]},
            {"stft.n_fft": ("1024", "2048"), "stft.win_length": ("1024", "2048"), "stft.hop_length": ("256", "512")},
        ),
        (
            {"front_end": [{"kind": "log_mel"}, {"kind": "rms"}]},
            {"front_end": ("log_mel, rms", "mfcc")},
        ),
        (
            {"arrangement": {"standardize": {"kind": "per_feature", "mean": [0.0] * 40, "std": [1.0] * 40}}},
            {
                "standardize.kind": ("per_feature", "none"),
                "standardize.over": ("feature", "none"),
                "standardize.mean": ("40 values", "none"),
                "standardize.std": ("40 values", "none"),
            },
        ),
    ],
)
def test_what_was_changed_from_the_preset_is_marked(changes: Document, expected: dict[str, tuple[str, str]]) -> None:
    steps = describe({"preset": "librosa-mfcc40-mean", "labels": ["a", "b"]} | changes)
    assert list_changes(steps) == expected


def test_what_the_spec_leaves_unsaid_stands_at_its_step() -> None:
    backbone = describe({"input": "embedding"}, (None, 1024), OutputActivation.NONE)
    assert "embedding values are averaged" in backbone["pooling"].unsaid[0]
    assert "class_0" in backbone["verdict"].unsaid[0]
    assert "raw outputs" in backbone["activation"].unsaid[0]
    assert read(backbone["backbone"]) == {"output": "embedding, 1024 values for each patch"}
    waveform = describe({"input": "waveform", "labels": ["a", "b"]}, (None, 16_000))
    assert waveform["sound"].unsaid == ("the sample rate; 16,000 Hz is assumed",)


def test_steps_of_a_windowed_picture_are_named() -> None:
    changes = {"window_seconds": 2.0, "sound": {"gain": "peak", "trim": {"top_db": 30}}, "aggregation": "max"}
    steps = describe(
        {"preset": "librosa-log-mel-picture", "labels": ["a", "b"], "thresholds": {"a": 0.7}, "otherwise": "b"}
        | changes,
        (None, 224, 224, 3),
    )
    assert read(steps["arrangement"])["picture.height"] == "224"
    assert read(steps["aggregation"]) == {"aggregation": "max"}
    assert read(steps["sound"])["trim.top_db"] == "30"
    assert read(steps["windows"])["live stream"] == "no, because of sound.trim"
    assert read(steps["verdict"]) == {
        "labels": "a, b",
        "threshold": "a from 0.7",
        "label": "b, unless another reaches its threshold",
    }


def test_every_threshold_is_listed() -> None:
    labels = [f"label {index}" for index in range(521)]
    steps = describe(
        {"preset": "librosa-log-mel-picture", "labels": labels, "thresholds": dict.fromkeys(labels, 0.5)},
        (None, 224, 224, 3),
        scores=521,
    )
    thresholds = [fact.value for fact in steps["verdict"].facts if fact.name == "threshold"]
    assert thresholds == [f"{label} from 0.5" for label in labels]


def test_a_tensor_model_does_not_say_how_a_recording_becomes_its_input() -> None:
    steps = describe({"input": "tensor"}, (None, 7))
    assert list(steps) == ["recording", "network"]
    assert steps["recording"].unsaid == ("how a recording becomes the model's input; the model takes tensors only",)


def test_an_installed_backbone_is_named_and_is_not_called_yamnet() -> None:
    signature = TensorSignature(name="x", dtype="float32", shape=(None, 16))
    spec = Spec.model_validate(
        {
            "input": "embedding",
            "backbone": {"name": "panns", "digest": "ab" * 32, "width": 16},
            "pooling": "mean",
            "labels": ["dog", "rain"],
            "labels_named": True,
            "activation": "softmax",
        }
    )
    report = SimpleNamespace(
        spec=spec, inputs=(signature,), outputs=(), format="onnx", graph_activation=OutputActivation.SOFTMAX
    )
    titles = [step.title for step in describe_pipeline(cast("CompileReport", report))]
    assert "Backbone panns" in titles
    assert not [title for title in titles if "YAMNet" in title]
