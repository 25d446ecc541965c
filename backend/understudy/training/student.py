"""Train the starter model: a small log-mel network that learns from labels and from YAMNet.

YAMNet teaches in two ways. A head on its embeddings, trained on the same folds as the student, says for each window
which label is present. Its 521 scores are a second training task, which improves the network and is not part of the
saved file.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.head_pooling import HeadPooling
from understudy.training.clips.augmentation import augment
from understudy.training.head_rows import make_training_rows
from understudy.training.keras_head import KerasHead, import_keras
from understudy.training.material import Sound, SoundKind
from understudy.yamnet.constants import CLASS_COUNT, PATCH_SHAPE

# Channels, kernel and stride of each convolution.
_LAYERS = ((16, 3, 2), (32, 3, 2), (48, 3, 2), (96, 3, 1), (128, 3, 2))
_BATCH = 64
_RATE = 3e-3
_TEACHER_EPOCHS = 15
_TEACHER_SHARE = 0.5
_AUXILIARY_WEIGHT = 5.0
_SYNTHESIZED_SHARE = 0.2
_QUIET = -4.5  # log-mel; a window that stays below it is too quiet to learn a label from
_QUIET_WEIGHT = 0.3

_Floats = NDArray[np.float32]


class Student:
    """Turns log-mel patches float32 [n, 96, 64] into independent scores float32 [n, labels] (sigmoid)."""

    def __init__(self, labels: Sequence[str], seed: int) -> None:
        """Raises CompilerMissing where Keras is not installed."""
        self._labels = list(labels)
        self._seed = seed
        keras = import_keras()
        keras.utils.set_random_seed(seed)
        layers = keras.layers
        patch = keras.Input(PATCH_SHAPE, name="log_mel")
        net = layers.Rescaling(0.4, offset=1.6)(patch)
        net = layers.Reshape((*PATCH_SHAPE, 1))(net)
        for channels, kernel, stride in _LAYERS:
            net = layers.Conv2D(channels, kernel, strides=stride, padding="same", use_bias=False)(net)
            net = layers.BatchNormalization()(net)
            net = layers.ReLU()(net)
        net = layers.GlobalAveragePooling2D()(net)
        scores = layers.Dense(len(self._labels), activation="sigmoid", name="scores")(layers.Dropout(0.3)(net))
        yamnet = layers.Dense(CLASS_COUNT, activation="sigmoid", name="yamnet")(net)
        self.model = keras.Model(patch, scores, name="starter")
        self._trained = keras.Model(patch, {"scores": scores, "yamnet": yamnet})

    def fit(self, sounds: Sequence[Sound], steps: int, on_step: Callable[[int], None]) -> None:
        """Train on all windows of `sounds` in `steps` batches; the caller leaves out the fold that it will test.

        `on_step` is called with the number of batches done.
        """
        keras = import_keras()
        patches = np.concatenate([sound.patches for sound in sounds])
        batches = _iter_batches(
            patches,
            self._build_targets(sounds),
            np.concatenate([sound.scores for sound in sounds]),
            _compute_weights(sounds, patches),
            np.random.default_rng(self._seed),
        )
        optimizer = keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(_RATE, steps), weight_decay=1e-3)
        losses = dict.fromkeys(("scores", "yamnet"), "binary_crossentropy")
        self._trained.compile(optimizer, losses, loss_weights={"scores": 1.0, "yamnet": _AUXILIARY_WEIGHT})
        callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, *_, **__: on_step(batch + 1))
        self._trained.fit(batches, steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0, callbacks=[callback])

    def score(self, patches: _Floats) -> _Floats:
        """Return scores float32 [n, labels] of `patches` float32 [n, 96, 64]."""
        return np.asarray(self.model.predict(patches, batch_size=512, verbose=0), dtype=np.float32)

    def _build_targets(self, sounds: Sequence[Sound]) -> _Floats:
        """Return the target scores float32 [windows, labels] of all windows; they are 0 for a quiet window."""
        taught = sorted({sound.label for sound in sounds if sound.kind is SoundKind.RECORDED and sound.label})
        teacher = self._fit_teacher(sounds, taught)
        columns = [self._labels.index(label) for label in taught]
        targets = []
        for sound in sounds:
            rows = np.zeros((len(sound.patches), len(self._labels)), dtype=np.float32)
            share = {SoundKind.SYNTHESIZED: 0.0, SoundKind.MIXED: 1.0}.get(sound.kind, _TEACHER_SHARE)
            if share:
                rows[:, columns] += share * teacher.score(sound.embeddings)
            if sound.label is not None:
                rows[:, self._labels.index(sound.label)] += 1 - share
            rows[sound.patches.max(axis=(1, 2)) <= _QUIET] = 0
            targets.append(rows)
        return np.concatenate(targets)

    def _fit_teacher(self, sounds: Sequence[Sound], taught: Sequence[str]) -> KerasHead:
        recorded = [sound for sound in sounds if sound.kind is SoundKind.RECORDED]
        truth = np.array([taught.index(sound.label) for sound in recorded if sound.label], dtype=np.int64)
        scale = float(np.sqrt(np.mean([np.mean(np.square(sound.embeddings)) for sound in recorded])))
        teacher = KerasHead(len(taught), scale, self._seed)
        rows, answers = make_training_rows([sound.embeddings for sound in recorded], truth, HeadPooling.NONE)
        teacher.fit(rows, answers, _TEACHER_EPOCHS, lambda _epoch: None)
        return teacher


def _compute_weights(sounds: Sequence[Sound], patches: _Floats) -> NDArray[np.float64]:
    """Return the probability float64 [windows] with which each window is drawn; the sum is 1."""
    synthesized = np.concatenate([[sound.kind is SoundKind.SYNTHESIZED] * len(sound.patches) for sound in sounds])
    weights = np.where(synthesized, _SYNTHESIZED_SHARE / max(synthesized.sum(), 1), 0.0)
    weights[~synthesized] = (1 - _SYNTHESIZED_SHARE) / max((~synthesized).sum(), 1)
    weights[patches.max(axis=(1, 2)) <= _QUIET] *= _QUIET_WEIGHT
    return np.asarray(weights / weights.sum())


def _iter_batches(
    patches: _Floats, targets: _Floats, scores: _Floats, weights: NDArray[np.float64], rng: np.random.Generator
) -> Any:
    """Yield varied batches without end: patches, and the targets of both outputs by name."""
    while True:
        rows = rng.choice(len(patches), _BATCH, p=weights)
        batch, partners, shares = augment(patches[rows], rng)
        own = shares[:, None].astype(np.float32)
        wanted = {
            name: values[rows] * own + values[rows][partners] * (1 - own)
            for name, values in (("scores", targets), ("yamnet", scores))
        }
        yield batch, wanted
