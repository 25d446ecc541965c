"""Compute the model's input from samples: front end, pooling over time, arrangement."""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from understudy.audio.features.arrangement import Arranger
from understudy.audio.features.pooling import pool
from understudy.schemas.compiler.spec import InputSpec
from understudy.schemas.front_end.arrangement import Arrangement
from understudy.schemas.front_end.parts import FrontEndPart
from understudy.schemas.front_end.pooling import Pooling

if TYPE_CHECKING:
    from understudy.audio.features.front_end import FrontEnd

Array = NDArray[np.float32]
_RATES_KEPT = 8


class FeatureExtractor:
    """Computes one item from the samples of one window; several threads may use it at once."""

    def __init__(self, parts: Sequence[FrontEndPart], pooling: Pooling | None, arrangement: Arrangement) -> None:
        self._parts = parts
        self._pooling = pooling
        self._arranger = Arranger(arrangement)
        self._front_ends: LRUCache[int, FrontEnd] = LRUCache(_RATES_KEPT)
        self._lock = Lock()

    def extract(self, samples: Array, rate: int) -> Array:
        """Return the model's item float32 for mono `samples` float32 [n] at `rate` Hz.

        Raises AudioUnusable for samples too short for one frame, and SpecInvalid where the spec does not fit `rate`.
        """
        features = self._choose_front_end(rate).compute(samples)
        return self._arranger.arrange(pool_parts(features, self._parts, self._pooling))

    def _choose_front_end(self, rate: int) -> "FrontEnd":
        from understudy.audio.features.front_end import FrontEnd  # loads scipy, which other models do not need

        with self._lock:
            front_end = self._front_ends.get(rate)
            if front_end is None:
                front_end = self._front_ends[rate] = FrontEnd(self._parts, rate)
            return front_end


def pool_parts(features: Sequence[Array], parts: Sequence[FrontEndPart], pooling: Pooling | None) -> Array:
    """Return the parts' features [frames, features] joined: [frames, all] or, where they are pooled, one vector.

    A part with statistics of its own is pooled alone. Otherwise the parts are joined first where they have equally many
    frames, so that a second statistic follows the first statistic of all parts.
    """
    from understudy.audio.features.front_end import join

    own = [part.pooling for part in parts]
    if pooling is None and not any(own):
        return join(list(features))
    shared = () if pooling is None else pooling.statistics
    if not any(own) and len({len(part) for part in features}) == 1:
        return pool(join(list(features)), shared)
    pooled = [pool(part, statistics or shared) for part, statistics in zip(features, own, strict=True)]
    return np.concatenate(pooled)


def build_extractor(spec: InputSpec) -> FeatureExtractor:
    """Return the extractor of a spec with a front end."""
    return FeatureExtractor(spec.front_end or (), spec.pooling, spec.arrangement)
