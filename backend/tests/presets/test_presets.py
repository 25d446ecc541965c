"""Every preset is a spec that the models of its parts accept."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from understudy.audio.features.arrangement import Arranger
from understudy.errors import SpecInvalid
from understudy.presets.presets import list_presets, read_preset
from understudy.schemas.compiler.spec import Aggregation, InputKind
from understudy.schemas.front_end.arrangement import Arrangement
from understudy.schemas.front_end.parts import FrontEndPart
from understudy.schemas.front_end.pooling import Pooling
from understudy.schemas.front_end.sound import Sound

NAMES = [preset.name for preset in list_presets()]
PARTS = TypeAdapter(tuple[FrontEndPart, ...])
RULES: dict[str, TypeAdapter[Any]] = {
    "input": TypeAdapter(InputKind),
    "front_end": PARTS,
    "sample_rate": TypeAdapter(int | str),
    "sound": TypeAdapter(Sound),
    "pooling": TypeAdapter(Pooling),
    "arrangement": TypeAdapter(Arrangement),
    "window_seconds": TypeAdapter(float | None),
    "hop_seconds": TypeAdapter(float),
    "aggregation": TypeAdapter(Aggregation),
}


@pytest.mark.parametrize("name", NAMES)
def test_preset_is_a_valid_spec(name: str) -> None:
    spec = read_preset(name)
    assert set(spec) <= set(RULES)
    assert ("input" in spec) != ("front_end" in spec)
    assert spec["sample_rate"] == "file" or 8_000 <= spec["sample_rate"] <= 48_000
    parsed = {key: RULES[key].validate_python(value) for key, value in spec.items()}
    Arranger(parsed.get("arrangement", Arrangement()))
    assert ("hop_seconds" in spec) == (spec["window_seconds"] is not None)


def test_names_of_the_usual_pipelines_stay() -> None:
    assert {
        "yamnet",
        "yamnet-mean-embedding",
        "librosa-mfcc40-mean",
        "librosa-mfcc-matrix",
        "librosa-log-mel",
        "librosa-statistics",
        "tf-signal-log-mel",
        "torchaudio-mel",
        "panns",
        "ast",
        "python-speech-features-mfcc",
        "birdnet-waveform",
    } <= set(NAMES)


def test_presets_are_described_in_the_order_of_their_names() -> None:
    assert sorted(NAMES) == NAMES
    assert all(preset.description.endswith(".") for preset in list_presets())


def test_documentation_lists_every_preset() -> None:
    page = (Path(__file__).parents[3] / "docs" / "presets.md").read_text("utf-8")
    rows = [f"| `{preset.name}` | {preset.description} |" for preset in list_presets()]
    assert page.endswith("\n".join([*rows, ""]))


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SpecInvalid, match="The nearest name is 'librosa-mfcc40-mean'") as error:
        read_preset("librosa-mfcc-40-mean")
    assert ", ".join(NAMES) in error.value.remedy
    with pytest.raises(SpecInvalid, match=r"There is no preset '\.\./spec'\.$"):
        read_preset("../spec")


def test_a_changed_preset_does_not_change_the_next() -> None:
    read_preset("yamnet")["input"] = "tensor"
    assert read_preset("yamnet")["input"] == "embedding"
