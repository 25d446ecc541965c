"""Synthesized sounds are reproducible, varied and well formed."""

import numpy as np
import pytest

from understudy.training.clips.synthesis import OTHERS, SOUNDS, synthesize
from understudy.yamnet.constants import SAMPLE_RATE

KINDS = [*SOUNDS, *OTHERS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_one_sound_and_another_seed_another(kind: str) -> None:
    sound = synthesize(kind, 2.0, 1)
    assert sound.dtype == np.float32
    assert sound.shape == (2 * SAMPLE_RATE,)
    assert np.abs(sound).max() <= 1
    np.testing.assert_array_equal(sound, synthesize(kind, 2.0, 1))
    assert any(not np.array_equal(sound, synthesize(kind, 2.0, seed)) for seed in (2, 3, 4, 5))


@pytest.mark.parametrize("kind", SOUNDS)
def test_every_labelled_sound_can_be_heard(kind: str) -> None:
    assert all(np.abs(synthesize(kind, 2.0, seed)).max() > 0.05 for seed in range(5))


def test_quiet_is_quiet() -> None:
    assert max(np.abs(synthesize("quiet", 2.0, seed)).max() for seed in range(10)) < 0.03
