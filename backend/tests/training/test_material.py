"""The starter model's material keeps folds apart and windows as they are served."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.training.conftest import Dataset
from understudy.audio.features.patches import PatchStream
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.training.clips.synthesis import OTHERS, SOUNDS
from understudy.training.material import Sound, SoundKind, cut_served_windows, gather
from understudy.training.recordings import Recording, find_recordings
from understudy.yamnet.constants import SAMPLE_RATE


@pytest.fixture(scope="module")
def recordings(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    return find_recordings(dataset(tmp_path_factory.mktemp("data") / "clips", ("rain", "alarm_beep"), 2), "prefix")


@pytest.fixture(scope="module")
def sounds(recordings: list[Recording], stand_in: Path) -> list[Sound]:
    return list(gather(recordings, YamnetBackbone.load(stand_in), synthesized=2, seed=1))


def test_each_recording_comes_with_its_variants_in_its_own_fold(
    sounds: list[Sound], recordings: list[Recording]
) -> None:
    expected = sorted((recording.label, recording.fold) for recording in recordings)
    for kind in (SoundKind.RECORDED, SoundKind.RESAMPLED, SoundKind.MIXED):
        assert sorted((sound.label, sound.fold) for sound in sounds if sound.kind is kind) == expected


def test_every_synthesised_kind_is_there_and_only_the_named_ones_have_a_label(sounds: list[Sound]) -> None:
    made = [sound.label for sound in sounds if sound.kind is SoundKind.SYNTHESIZED]
    assert {label for label in made if label} == set(SOUNDS)
    assert made.count(None) == 2 * len(OTHERS)


def test_windows_and_yamnet_s_output_belong_together(sounds: list[Sound], stand_in: Path) -> None:
    backbone = YamnetBackbone.load(stand_in)
    for sound in sounds[:3]:
        embeddings, scores = backbone.run(sound.patches)
        np.testing.assert_allclose(sound.embeddings, embeddings, atol=1e-5)
        np.testing.assert_allclose(sound.scores, scores, atol=1e-6)


def test_evaluation_sees_the_windows_that_the_server_cuts(sounds: list[Sound], recordings: list[Recording]) -> None:
    for sound, recording in zip(sounds, recordings, strict=False):
        samples, rate = soundfile.read(recording.path, dtype="float32")
        assert rate == SAMPLE_RATE
        stream = PatchStream()
        served = np.stack([patch.copy() for _, patch in [*stream.push(samples), *stream.finish()]])
        np.testing.assert_allclose(cut_served_windows(sound), served, atol=1e-5)
