"""Loads files of Keras 3: `.keras` archives and HDF5."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow import math as backend_math

from understudy.compiler.formats.keras.keras_model import KerasModel
from understudy.compiler.formats.loaded_model import take_first_line
from understudy.errors import CompileFailed


def _make_window(window: Any, length: int) -> Any:
    if window is None:
        return np.ones(length)
    if not isinstance(window, str):
        return np.asarray(window, dtype=np.float64)
    phase = 2 * np.pi * np.arange(length) / length
    return 0.5 - 0.5 * np.cos(phase) if window == "hann" else 0.54 - 0.46 * np.cos(phase)


def make_convolution_stft(
    x: Any, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[Any, Any]:
    """Compute `keras.ops.stft` as one convolution with the rows of the DFT matrix, which ONNX can express.

    Takes x [..., samples] and returns real and imaginary parts, each [..., frames, fft_length // 2 + 1]:
    X[t, k] = sum over n of w[n] x[t stride + n] exp(-2 pi i k n / fft_length). The window w is periodic and centered in
    the frame, as in Keras.
    """
    left = (fft_length - sequence_length) // 2
    frame = np.pad(_make_window(window, sequence_length), (left, fft_length - sequence_length - left))
    bins = fft_length // 2 + 1
    angle = 2 * np.pi * np.outer(np.arange(fft_length), np.arange(bins)) / fft_length
    kernel = np.concatenate([np.cos(angle), -np.sin(angle)], axis=1) * frame[:, None]
    if center:
        padding = [(0, 0)] * (len(x.shape) - 1) + [(fft_length // 2, fft_length // 2)]
        x = tf.pad(x, padding, mode="reflect")
    outer = tf.shape(x)[:-1]
    flat = tf.reshape(x, [-1, tf.shape(x)[-1], 1])
    spectrum = tf.nn.conv1d(flat, tf.constant(kernel[:, None, :], x.dtype), stride=sequence_stride, padding="VALID")
    spectrum = tf.reshape(spectrum, tf.concat([outer, tf.shape(spectrum)[1:2], [2 * bins]], axis=0))
    return spectrum[..., :bins], spectrum[..., bins:]


@contextmanager
def _replace_stft() -> Iterator[None]:
    """Replace Keras's STFT while a model is traced.

    tf2onnx turns the complex FFT of MelSpectrogram into an invalid graph. Parity proves the replacement.
    """
    original = backend_math.stft
    backend_math.stft = make_convolution_stft
    try:
        yield
    finally:
        backend_math.stft = original


def list_layer_names() -> set[str]:
    """Return the names of the classes that a config may use as layers."""
    found: set[str] = set()
    waiting: list[type] = [keras.Operation]  # layers and models, and what keras.ops records in a functional model
    while waiting:
        subclasses: list[type] = waiting.pop().__subclasses__()
        found |= {cls.__name__ for cls in subclasses if cls.__module__.startswith("keras.")}
        waiting.extend(subclasses)
    return found


def load(path: Path, written_by: str | None) -> KerasModel:
    """Load a file that was scanned before; raises CompileFailed when Keras cannot.

    `path` must end in `.keras` or `.h5` as its content asks.
    """
    try:
        model = keras.saving.load_model(path, custom_objects=None, compile=False, safe_mode=True)
    except (TypeError, ValueError, KeyError, AttributeError, OSError, IndexError) as error:
        raise CompileFailed(
            f"Keras {keras.__version__} cannot load the file: {take_first_line(error)}",
            remedy="Load it in the environment that wrote it and save it again as .keras.",
        ) from error
    return KerasModel(model, framework=f"keras {keras.__version__}", written_by=written_by, tracing=_replace_stft)
