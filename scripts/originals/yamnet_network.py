"""YAMNet in TensorFlow, from the weights of UNDERSTUDY_TEST_DATA: samples in, embeddings of its patches out."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_STRIDED = (1, 3, 5, 7, 13)  # layers
_LAYERS = 14


class Yamnet(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """The network and its front end, as Google's features.py and yamnet.py have them."""

    def __init__(self, weights: dict[str, Any]) -> None:
        super().__init__()
        self._weights = {name: tf.constant(value) for name, value in weights.items()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, samples: Any) -> Any:
        """Return the embeddings float32 [patches, 1024] of mono samples at 16 kHz."""
        weights = self._weights
        window, hop = 15_600, 7_680
        over = tf.maximum(tf.size(samples) - window, 0)
        hops = tf.cast(tf.math.ceil(tf.cast(over, tf.float32) / hop), tf.int32)
        samples = tf.pad(samples, [[0, window + hop * hops - tf.size(samples)]])
        spectrum = tf.abs(tf.signal.stft(samples, 400, 160, 512))
        log_mel = tf.math.log(spectrum @ weights["frontend/mel_matrix"] + 0.001)
        values = tf.signal.frame(log_mel, 96, 48, axis=0)[..., None]
        values = tf.nn.conv2d(values, weights["layer1/conv/kernel"], 2, "SAME")
        values = tf.nn.relu(values + weights["layer1/conv/bias"])
        for layer in range(2, _LAYERS + 1):
            name, stride = f"layer{layer}", 2 if layer in _STRIDED else 1
            kernel = weights[f"{name}/depthwise/kernel"][..., None]
            values = tf.nn.depthwise_conv2d(values, kernel, [1, stride, stride, 1], "SAME")
            values = tf.nn.relu(values + weights[f"{name}/depthwise/bias"])
            values = tf.nn.conv2d(values, weights[f"{name}/pointwise/kernel"][None, None], 1, "SAME")
            values = tf.nn.relu(values + weights[f"{name}/pointwise/bias"])
        return tf.reduce_mean(values, axis=[1, 2])


class WholeModel(tf.Module):  # type: ignore[misc]  # TensorFlow has no types
    """YAMNet and a head on its embeddings."""

    def __init__(self, head: Any) -> None:
        super().__init__()
        self._yamnet = load_yamnet()
        self._head = head

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, samples: Any) -> Any:
        """Return the scores float32 [patches, labels] of mono samples at 16 kHz."""
        return self._head(self._yamnet(samples), training=False)


@cache
def load_yamnet() -> Yamnet:
    """Return the network with the weights of the test data."""
    folder = Path(os.environ.get("UNDERSTUDY_TEST_DATA", "../shared/data"))
    with np.load(folder / "yamnet" / "yamnet.npz") as stored:
        return Yamnet({name: stored[name] for name in stored})
