"""Statistics over time."""

import numpy as np
import pytest

from scripts.originals.sound_signals import make_image
from understudy.audio.features.pooling import pool
from understudy.schemas.front_end.pooling import Statistic


def test_statistics_follow_each_other() -> None:
    frames = make_image(31, 5)
    pooled = pool(frames, list(Statistic))
    expected = [frames.mean(0), frames.std(0), frames.var(0), frames.max(0), frames.min(0), np.median(frames, 0)]
    np.testing.assert_allclose(pooled, np.concatenate(expected), rtol=1e-5)
    assert pooled.dtype == np.float32


def test_no_frame_cannot_be_pooled() -> None:
    with pytest.raises(ValueError, match="no frame"):
        pool(np.zeros((0, 3), np.float32), [Statistic.MEAN])
