"""The committed starter model answers truly on the committed clips, through the path that serves it."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import understudy
from scripts.make_demo_clips import SEEDS, make_clips
from scripts.score_demo_clips import write_examples
from understudy.audio.opening import AudioLimits, open_clip
from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.registry.files.examples_csv import parse_csv
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

BACKEND = Path(understudy.__file__).resolve().parents[1]
STARTER = BACKEND / "models" / "starter.keras"
SIDECAR = BACKEND / "models" / "starter.spec.json"
CLIPS = BACKEND / "demo" / "clips"
TRAINED_SEEDS = range(1000)


@pytest.mark.frameworks
@pytest.mark.anyio
@pytest.mark.usefixtures("shared_store")
async def test_every_demo_clip_gets_its_true_label(settings: Settings) -> None:
    spec = PartialSpec.model_validate_json(SIDECAR.read_bytes())
    compiled = await Compiler(settings).compile(STARTER, compute_digest(STARTER), spec)
    pipeline = Pipeline.load(compiled.folder, backbone=None, max_whole_clip_seconds=60)
    answers = {}
    for path in sorted(CLIPS.glob("*.wav")):
        with path.open("rb") as file, open_clip(file, AudioLimits(max_seconds=60)) as clip:
            analysis = pipeline.analyze(clip)
        best = int(analysis.totals.argmax())
        answers[path.stem] = (analysis.labels[best], bool(analysis.totals[best] > 0.5))
    assert answers == {kind: (kind, True) for kind in SEEDS}


def test_the_clips_are_those_that_the_script_makes(tmp_path: Path) -> None:
    for made in make_clips(tmp_path):
        committed, rate = soundfile.read(CLIPS / made.name, dtype="int16")
        assert rate == 16_000
        again, _ = soundfile.read(made, dtype="int16")
        np.testing.assert_allclose(committed, again, atol=1, err_msg=made.name)
        assert made.stat().st_size < 200_000


@pytest.mark.frameworks
def test_the_scores_of_the_clips_are_those_of_keras(tmp_path: Path) -> None:
    write_examples(tmp_path / "examples.csv")
    committed, made = (
        parse_csv((folder / "examples.csv").read_bytes(), "examples.csv") for folder in (CLIPS, tmp_path)
    )
    assert [(each.file, each.label) for each in committed] == [(each.file, each.label) for each in made]
    for before, now in zip(committed, made, strict=True):
        assert before.scores == pytest.approx(now.scores, abs=1e-5)


def test_no_demo_clip_was_trained_on() -> None:
    assert not set(SEEDS.values()) & set(TRAINED_SEEDS)


def test_the_starter_model_is_small_and_its_card_covers_every_label() -> None:
    assert STARTER.stat().st_size < 1_500_000
    card = (BACKEND / "models" / "README.md").read_text(encoding="utf-8")
    for label in json.loads(SIDECAR.read_bytes())["labels"]:
        assert f"`{label}`" in card
