"""Measure how far scores are from those of the examples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.inference.pipeline.verdict import Verdict
from understudy.schemas.compiler.spec import Spec
from understudy.schemas.registry.examples import Expectation

_SMALLEST = 1e-4  # scores are compared on a logarithmic scale from here to 1 - _SMALLEST
_LOGIT_RANGE = 2 * float(np.log((1 - _SMALLEST) / _SMALLEST))

Array = NDArray[np.float32]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Closeness:
    """Measures the distance of the answers for some clips from the expected ones.

    `difference` is the mean over the clips of the largest difference of a score; a wrong label without scores is 1.
    `distance` is between 0 and 1 and grows also where scores are already near 0 or 1, so that it shows which of two
    wrong specs is nearer.
    """

    clips: int
    agreed: int
    difference: float
    distance: float

    @property
    def agrees(self) -> bool:
        """True when all clips agree."""
        return self.agreed == self.clips


class Comparison:
    """Compares scores with the answers that examples expect."""

    def __init__(self, expected: Sequence[Expectation], labels: Sequence[str]) -> None:
        """`labels` are in the order of the scores; the examples name no others."""
        places = {label: place for place, label in enumerate(labels)}
        self._scores = np.full((len(expected), len(labels)), np.nan)
        self._labels = np.full(len(expected), -1)
        self._tolerances = np.array([each.tolerance for each in expected])
        for row, each in enumerate(expected):
            for label, score in each.scores.items():
                self._scores[row, places[label]] = score
            if each.label is not None:
                self._labels[row] = places[each.label]
        named = self._scores[~np.isnan(self._scores)]
        self._spread = float(np.ptp(named)) if len(named) and (named.min() < 0 or named.max() > 1) else None

    def measure(self, spec: Spec, clips: Sequence[int], scores: Array) -> Closeness:
        """Compare `scores` float32 [clips, labels] of the clips with these indices."""
        verdict = Verdict(spec)
        expected, labels = self._scores[clips], self._labels[clips]
        chosen = np.array([verdict.choose(row) for row in scores])
        right = (labels < 0) | (chosen == labels)
        named = ~np.isnan(expected)
        scored = named.any(axis=1)
        differences = np.where(named, np.abs(scores - expected), 0.0).max(axis=1)
        distances = np.where(scored, self._measure_distances(scores, expected, named), _judge(scores, labels, right))
        return Closeness(
            clips=len(clips),
            agreed=int((right & (differences <= self._tolerances[clips])).sum()),
            difference=float(np.where(scored, differences, ~right).mean()),
            distance=float(distances.mean()),
        )

    def _measure_distances(self, scores: Array, expected: Numbers, named: NDArray[np.bool_]) -> Numbers:
        """Return for each clip the mean distance of the scores that its example names."""
        if self._spread is None:
            distances = np.abs(_to_logit(scores) - _to_logit(np.nan_to_num(expected))) / _LOGIT_RANGE
        else:
            distances = np.minimum(np.abs(scores - np.nan_to_num(expected)) / max(self._spread, _SMALLEST), 1.0)
        return np.asarray(np.where(named, distances, 0.0).sum(axis=1) / np.maximum(named.sum(axis=1), 1))


def _judge(scores: Array, labels: NDArray[np.intp], right: NDArray[np.bool_]) -> Numbers:
    """Return for each clip of which only the label is known 0.5 for a wrong one, and up to 0.5 by the label's score."""
    own = _to_logit(scores[np.arange(len(scores)), np.maximum(labels, 0)])
    return np.asarray(0.5 * ~right + 0.5 * (0.5 - own / _LOGIT_RANGE))


def _to_logit(scores: NDArray[np.floating]) -> Numbers:
    kept = np.clip(scores.astype(np.float64), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(kept / (1 - kept)))
