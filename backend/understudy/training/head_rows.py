"""Make the rows that a head takes from the embeddings of clips.

The statistics are computed with numpy and not by the code that serves: comparing the two finds a fault in either.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.head_pooling import HeadPooling
from understudy.yamnet.constants import EMBEDDING_SIZE

_Floats = NDArray[np.float32]


def compute_width(pooling: HeadPooling) -> int:
    """Return the number of values in a row that the head takes."""
    return EMBEDDING_SIZE * max(1, len(pooling.spec.statistics))


def make_rows(embeddings: _Floats, pooling: HeadPooling) -> _Floats:
    """Return the rows float32 [rows, width] that the head scores for a clip of float32 [windows, 1024].

    Without pooling that is a row for each window, else one row. The clip's scores are the mean over its rows.
    """
    if pooling is HeadPooling.NONE:
        return embeddings
    found = [embeddings.mean(axis=0, keepdims=True, dtype=np.float64)]
    if pooling is HeadPooling.MEAN_STD:
        found.append(embeddings.std(axis=0, keepdims=True, dtype=np.float64))
    return np.concatenate(found, axis=1).astype(np.float32)


def make_training_rows(
    clips: Sequence[_Floats], truth: NDArray[np.int64], pooling: HeadPooling
) -> tuple[_Floats, NDArray[np.int64]]:
    """Return the rows float32 [n, width] to train on, and int64 [n] the position of each row's label.

    `truth` int64 [clips] is the position of each clip's label. A head without pooling also learns from each clip's mean
    embedding.
    """
    rows = [make_rows(clip, pooling) for clip in clips]
    answers = np.repeat(truth, [len(each) for each in rows])
    if pooling is HeadPooling.NONE:
        rows += [make_rows(clip, HeadPooling.MEAN) for clip in clips]
        answers = np.concatenate([answers, truth])
    return np.concatenate(rows), answers
