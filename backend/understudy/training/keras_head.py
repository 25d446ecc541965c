"""Train a small Keras head on YAMNet's embeddings."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CompilerMissing
from understudy.yamnet.constants import EMBEDDING_SIZE

_HIDDEN = 128
_BATCH = 256
_RATE = 1e-3
_DROPOUT = 0.3


def import_keras() -> Any:
    """Return the Keras 3 module with TensorFlow as its backend; raises CompilerMissing where it is not installed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        import keras
    except ImportError as error:
        raise CompilerMissing("Training needs Keras and TensorFlow.") from error
    return keras


class KerasHead:
    """Turns embeddings float32 [n, 1024] into softmax scores float32 [n, labels]."""

    def __init__(self, label_count: int, scale: float, seed: int) -> None:
        """`scale` is the root mean square of all embedding values; the model divides its input by it.

        Raises CompilerMissing where Keras is not installed.
        """
        self._keras = import_keras()
        self._keras.utils.set_random_seed(seed)
        layers = self._keras.layers
        decay = self._keras.regularizers.L2(1e-4)
        self._labels = label_count
        self.model = self._keras.Sequential(
            [
                self._keras.Input((EMBEDDING_SIZE,), name="embedding"),
                layers.Rescaling(1 / scale),
                layers.Dropout(_DROPOUT),
                layers.Dense(_HIDDEN, activation="relu", kernel_regularizer=decay),
                layers.Dropout(_DROPOUT),
                layers.Dense(label_count, activation="softmax", kernel_regularizer=decay, name="scores"),
            ],
            name="head",
        )

    def fit(
        self,
        clips: Sequence[NDArray[np.float32]],
        truth: NDArray[np.int64],
        epochs: int,
        on_epoch: Callable[[int], None],
    ) -> None:
        """Train on each window of the clips and on each clip's mean embedding.

        `clips` holds embeddings float32 [windows, 1024] and `truth` int64 [clips] the position of each clip's label.
        `on_epoch` is called with the number of epochs done.
        """
        rows = np.concatenate([*clips, np.stack([clip.mean(axis=0) for clip in clips])])
        answers = np.concatenate([np.repeat(truth, [len(clip) for clip in clips]), truth])
        targets = np.eye(self._labels, dtype=np.float32)[answers]
        steps = epochs * -(-len(rows) // _BATCH)
        schedule = self._keras.optimizers.schedules.CosineDecay(_RATE, steps)
        self.model.compile(self._keras.optimizers.Adam(schedule), "categorical_crossentropy")
        callback = self._keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, *_, **__: on_epoch(epoch + 1))
        self.model.fit(rows, targets, epochs=epochs, batch_size=_BATCH, verbose=0, callbacks=[callback])

    def score(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return softmax scores float32 [n, labels] of `embeddings` float32 [n, 1024]."""
        return np.asarray(self.model.predict(embeddings, batch_size=1024, verbose=0), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the `.keras` file without the optimizer; `path` is either complete or absent."""
        partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.keras")
        self.model.save(partial, include_optimizer=False)
        partial.replace(path)
