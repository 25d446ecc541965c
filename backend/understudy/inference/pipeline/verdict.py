"""Decide which label a row of scores means."""

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.compiler.spec import DEFAULT_THRESHOLD, Spec


class Verdict:
    """Chooses the label with the highest score.

    With `otherwise` in the spec only labels that reach their threshold are eligible, and without any it is `otherwise`:
    a score of 0.0025 must not be called a scream only because there is no other label.
    """

    def __init__(self, spec: Spec) -> None:
        self.labels = spec.labels
        self._otherwise: int | None = None
        if spec.otherwise is None:
            return
        self._otherwise = spec.labels.index(spec.otherwise)
        limits = [spec.thresholds.get(label, DEFAULT_THRESHOLD) for label in spec.labels]
        limits[self._otherwise] = np.inf
        self._limits = np.array(limits, np.float32)

    def choose(self, row: NDArray[np.float32]) -> int:
        """Return the index of the label that `row` float32 [labels] means."""
        if self._otherwise is None:
            return int(row.argmax())
        eligible = np.where(row >= self._limits, row, -np.inf)
        best = int(eligible.argmax())
        return best if eligible[best] > -np.inf else self._otherwise

    def rank(self, scores: NDArray[np.float32], most: int) -> NDArray[np.int32]:
        """Return the positions int32 [n, most] of the best labels of each row of `scores` [n, labels], best first.

        The label that a row means comes first, however low its score is. A row of NaN has its labels in any order.
        """
        ranked = scores
        if self._otherwise is not None:
            ranked = scores.copy()
            known = np.flatnonzero(~np.isnan(scores).any(axis=1))
            ranked[known, [self.choose(scores[row]) for row in known]] = np.inf
        return np.argsort(-ranked, axis=1, kind="stable")[:, :most].astype(np.int32)
