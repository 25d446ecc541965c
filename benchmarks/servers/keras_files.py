"""Write what the Keras route loads: YAMNet as the SavedModel that TensorFlow Hub offers, and a Keras head.

`python -m benchmarks.servers.keras_files NETWORKS FOLDER`, where NETWORKS holds backbone.npz and heads.npz.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

_STRIDE_TWO_LAYERS = (1, 3, 5, 7, 13)
_LAYERS = 14
_PATCH, _PATCH_HOP = 15_600, 7_680


class Yamnet(tf.Module):
    """Google's YAMNet with batch norm folded: float32 [n] at 16 kHz to scores, embeddings and the log-mel frames."""

    def __init__(self, weights: dict[str, Any]) -> None:
        super().__init__()
        self.weights = {name: tf.constant(values) for name, values in weights.items()}
        self.mel = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7500.0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, waveform: Any) -> tuple[Any, Any, Any]:
        length = tf.shape(waveform)[0]
        hops = tf.cast(tf.math.ceil(tf.maximum(length - _PATCH, 0) / _PATCH_HOP), tf.int32)
        waveform = tf.pad(waveform, [[0, hops * _PATCH_HOP + _PATCH - length]])
        magnitude = tf.abs(tf.signal.stft(waveform, 400, 160, 512))
        frames = tf.math.log(tf.matmul(magnitude, self.mel) + 0.001)
        net = tf.signal.frame(frames, 96, 48, axis=0)[..., None]
        for number in range(1, _LAYERS + 1):
            net = self._layer(net, number)
        embeddings = tf.reduce_mean(net, [1, 2])
        scores = tf.sigmoid(tf.matmul(embeddings, self.weights["dense/kernel"]) + self.weights["dense/bias"])
        return scores, embeddings, frames

    def _layer(self, net: Any, number: int) -> Any:
        stride = 2 if number in _STRIDE_TWO_LAYERS else 1
        if number == 1:
            net = tf.nn.conv2d(net, self.weights["layer1/conv/kernel"], stride, "SAME")
            return tf.nn.relu(net + self.weights["layer1/conv/bias"])
        kernel = self.weights[f"layer{number}/depthwise/kernel"][..., None]
        net = tf.nn.depthwise_conv2d(net, kernel, [1, stride, stride, 1], "SAME")
        net = tf.nn.relu(net + self.weights[f"layer{number}/depthwise/bias"])
        net = tf.nn.conv2d(net, self.weights[f"layer{number}/pointwise/kernel"][None, None], 1, "SAME")
        return tf.nn.relu(net + self.weights[f"layer{number}/pointwise/bias"])


def main(networks: Path, folder: Path) -> None:
    with np.load(networks / "backbone.npz") as archive:
        tf.saved_model.save(Yamnet(dict(archive)), str(folder / "yamnet"))
    with np.load(networks / "heads.npz") as archive:
        kernel = archive["a"]
    head = tf.keras.Sequential(
        [tf.keras.Input((kernel.shape[0],)), tf.keras.layers.Dense(kernel.shape[1], "softmax", use_bias=False)]
    )
    head.set_weights([kernel])
    head.save(folder / "head.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
