"""Train a small Keras head on YAMNet's embeddings."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CompilerMissing
from understudy.yamnet.constants import EMBEDDING_SIZE

_HIDDEN = 128
_LARGEST_BATCH, _SMALLEST_BATCH = 256, 32
_STEPS = 10  # in an epoch at least, where the rows are enough for the smallest batch
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
    """Turns embeddings or their statistics, float32 [n, width], into softmax scores float32 [n, labels]."""

    def __init__(self, label_count: int, scale: float, seed: int, width: int = EMBEDDING_SIZE) -> None:
        """`scale` is the root mean square of all values to train on; the model divides its input by it.

        Raises CompilerMissing where Keras is not installed.
        """
        self._keras = import_keras()
        self._keras.utils.set_random_seed(seed)
        layers = self._keras.layers
        decay = self._keras.regularizers.L2(1e-4)
        self._labels = label_count
        self.model = self._keras.Sequential(
            [
                self._keras.Input((width,), name="embedding"),
                layers.Rescaling(1 / scale),
                layers.Dropout(_DROPOUT),
                layers.Dense(_HIDDEN, activation="relu", kernel_regularizer=decay),
                layers.Dropout(_DROPOUT),
                layers.Dense(label_count, activation="softmax", kernel_regularizer=decay, name="scores"),
            ],
            name="head",
        )

    def fit(
        self, rows: NDArray[np.float32], answers: NDArray[np.int64], epochs: int, on_epoch: Callable[[int], None]
    ) -> None:
        """Train on `rows` float32 [n, width], where `answers` int64 [n] is the position of each row's label.

        `on_epoch` is called with the number of epochs done.
        """
        targets = np.eye(self._labels, dtype=np.float32)[answers]
        batch = int(np.clip(len(rows) // _STEPS, _SMALLEST_BATCH, _LARGEST_BATCH))
        steps = epochs * -(-len(rows) // batch)
        schedule = self._keras.optimizers.schedules.CosineDecay(_RATE, steps)
        self.model.compile(self._keras.optimizers.Adam(schedule), "categorical_crossentropy")
        callback = self._keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, *_, **__: on_epoch(epoch + 1))
        self.model.fit(rows, targets, epochs=epochs, batch_size=batch, verbose=0, callbacks=[callback])

    def score(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return softmax scores float32 [n, labels] of `rows` float32 [n, width]."""
        return np.asarray(self.model.predict(rows, batch_size=1024, verbose=0), dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the `.keras` file, without the optimizer."""
        self.model.save(path, include_optimizer=False)
