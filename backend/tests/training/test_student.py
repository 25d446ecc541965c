"""The student learns from both teachers and is a file that stands alone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from understudy.training.keras_head import import_keras
from understudy.training.material import Sound, SoundKind
from understudy.training.student import Student

pytestmark = [
    pytest.mark.frameworks,
    # Keras 3.15 copies TensorFlow's variables in a way that numpy 2 will drop.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
LABELS = ("high", "low")
_SILENCE = np.log(1e-3)


@pytest.fixture(scope="module")
def sounds() -> list[Sound]:
    """Sounds in the upper or the lower bands, some with a silent second half."""
    return list(_sounds(np.random.default_rng(4)))


def _sounds(rng: np.random.Generator) -> Iterator[Sound]:
    for number in range(24):
        label = LABELS[number % 2]
        patches = np.full((4, 96, 64), _SILENCE, dtype=np.float32)
        bands = slice(32, 64) if label == "high" else slice(0, 32)
        patches[:2, :, bands] = rng.uniform(-1, 1, (2, 96, 32))
        embeddings = np.zeros((4, 1024), dtype=np.float32)
        embeddings[:2, 0 if label == "high" else 1] = rng.uniform(1, 2, 2)
        kind = (
            SoundKind.RECORDED,
            SoundKind.RECORDED,
            SoundKind.MIXED,
            SoundKind.RESAMPLED,
            SoundKind.SYNTHESIZED,
            SoundKind.SYNTHESIZED,
        )[number % 6]
        yield Sound(label, "1", kind, patches, embeddings, rng.uniform(0, 0.1, (4, 521)).astype(np.float32))


def test_silent_windows_are_called_nothing_and_loud_ones_their_label(sounds: list[Sound]) -> None:
    targets = Student(LABELS, seed=1)._build_targets(sounds).reshape(len(sounds), 4, 2)
    assert not targets[:, 2:].any()
    for sound, rows in zip(sounds, targets, strict=True):
        assert (rows[:2].argmax(axis=1) == LABELS.index(sound.label or "")).all()
        if sound.kind is SoundKind.SYNTHESIZED:
            assert (rows[:2].max(axis=1) == 1).all()


@pytest.mark.long
def test_a_few_steps_tell_two_sounds_apart_and_the_file_does_too(sounds: list[Sound], tmp_path: Path) -> None:
    student = Student(LABELS, seed=1)
    steps: list[int] = []
    student.fit(sounds, 25, steps.append)
    assert steps[-1] == 25
    patches = np.concatenate([sound.patches[:2] for sound in sounds])
    truth = [LABELS.index(sound.label or "") for sound in sounds for _ in range(2)]
    scores = student.score(patches)
    assert (scores.argmax(axis=1) == truth).mean() > 0.9

    student.model.save(tmp_path / "student.keras")
    loaded = import_keras().models.load_model(tmp_path / "student.keras", compile=False)
    np.testing.assert_allclose(np.asarray(loaded(patches)), scores, atol=1e-5)
    assert len(loaded.outputs) == 1, "YAMNet's scores are a teacher, not an output"
