"""Weights of the two small heads: fitted to real recordings where there are any, else random."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.patches import PatchStream
from understudy.audio.opening import AudioLimits, open_clip
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.yamnet.constants import EMBEDDING_SIZE

# ESC-10's folders.
LABELS = (
    *("baby_cry", "chainsaw", "clock_tick", "dog_bark", "fire_crackling"),
    *("helicopter", "person_sneeze", "rain", "rooster", "sea_waves"),
)
_CLIPS = 12  # of each label
_RIDGE, _SHARPNESS = 100.0, 10.0
_LIMITS = AudioLimits(60.0)

Array = NDArray[np.float32]


def random_head(seed: int) -> Array:
    """A kernel [1024, 10]."""
    return np.random.default_rng(seed).normal(0, 0.5, (EMBEDDING_SIZE, len(LABELS))).astype(np.float32)


def fitted_head(backbone: YamnetBackbone, recordings: Path, fold: int) -> Array:
    """A kernel [1024, 10] from the recordings of one fold of ESC-10, by ridge regression of the labels on embeddings.

    Source: Hoerl and Kennard, Ridge Regression, Technometrics 1970: (X'X + r I)^-1 X'Y. Answers lie near 0 and 1, so
    the kernel is sharpened for the softmax that follows.
    """
    features, targets = [], []
    for number, label in enumerate(LABELS):
        for path in sorted((recordings / label).glob(f"{fold}-*.ogg"))[:_CLIPS]:
            found = backbone.embed(np.stack(list(_patches(path))))
            features.append(found.astype(np.float64))
            targets.append(np.tile(np.eye(len(LABELS))[number], (len(found), 1)))
    x, y = np.concatenate(features), np.concatenate(targets)
    kernel = np.linalg.solve(x.T @ x + _RIDGE * np.eye(EMBEDDING_SIZE), x.T @ y)
    return (_SHARPNESS * kernel).astype(np.float32)


def _patches(path: Path) -> Iterator[Array]:
    stream = PatchStream()
    with path.open("rb") as file:
        for block in open_clip(file, _LIMITS).iter_blocks(16_000):
            yield from (patch for _, patch in stream.push(block))
    yield from (patch for _, patch in stream.finish())
