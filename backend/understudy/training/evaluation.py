"""Count right and wrong answers clip by clip, on folds that the model was not trained on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class Evaluation(BaseModel):
    """The result of a cross-validation: each clip was answered once, by a model that was trained without its fold."""

    model_config = ConfigDict(frozen=True)

    labels: tuple[str, ...]
    accuracy: float = Field(description="Share of clips whose best label is the true one")
    fold_accuracy: dict[str, float]
    confusion: tuple[tuple[int, ...], ...] = Field(description="Clips by true label (row) and answered label (column)")
    recall: dict[str, float] = Field(description="By label: share of its clips that were answered with it")


def evaluate(
    labels: Sequence[str], truth: NDArray[np.int64], answers: NDArray[np.int64], folds: Sequence[str]
) -> Evaluation:
    """Compare `truth` int64 [clips] with `answers` int64 [clips], both as positions in `labels`."""
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(confusion, (truth, answers), 1)
    right = truth == answers
    of_fold = np.array(folds)
    return Evaluation(
        labels=tuple(labels),
        accuracy=float(right.mean()),
        fold_accuracy={fold: float(right[of_fold == fold].mean()) for fold in sorted(set(folds))},
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        recall={label: float(confusion[i, i] / max(confusion[i].sum(), 1)) for i, label in enumerate(labels)},
    )
