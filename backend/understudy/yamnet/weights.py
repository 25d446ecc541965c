"""Reads YAMNet's weights from any of their three file formats and folds the batch norm into the convolutions.

The folded weights have a kernel and a bias for every convolution, all float32:

- `layer1/conv/kernel` [3, 3, 1, 32] and `layer1/conv/bias` [32];
- for N = 2..14 `layerN/depthwise/kernel` [3, 3, C], `layerN/pointwise/kernel` [C, D] and a bias for each;
- `dense/kernel` [1024, 521] and `dense/bias` [521].

Source of the layer names and of the batch norm (centered, not scaled): tensorflow/models,
research/audioset/yamnet/yamnet.py.
"""

import re
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CompilerMissing, FileMissing, FormatUnknown, ModelUnsafe
from understudy.files.regular_file import open_regular
from understudy.yamnet.constants import BATCH_NORM_EPSILON, CHANNELS, CLASS_COUNT

LARGEST_SOURCE_BYTES = 256 << 20
SUPPORTED_SOURCES = "Give the official yamnet.h5, a YAMNet SavedModel folder or the folded .npz file."

# The name is the end of a weight's path: HDF5 repeats the layer's name, and a whole model begins with `model_weights/`.
_RAW_NAME = re.compile(
    r"(?P<layer>layer\d+/(?:conv|depthwise_conv|pointwise_conv))(?P<norm>/bn)?"
    r"/(?P<weight>kernel|depthwise_kernel|gamma|beta|moving_mean|moving_variance)(?::0)?$"
)

Weights = dict[str, NDArray[np.float32]]


def list_expected_shapes() -> dict[str, tuple[int, ...]]:
    """Return name and shape of every folded weight, in the order of the network."""
    shapes: dict[str, tuple[int, ...]] = {
        "layer1/conv/kernel": (3, 3, 1, CHANNELS[0]),
        "layer1/conv/bias": (CHANNELS[0],),
    }
    for number, (width, next_width) in enumerate(pairwise(CHANNELS), start=2):
        shapes[f"layer{number}/depthwise/kernel"] = (3, 3, width)
        shapes[f"layer{number}/depthwise/bias"] = (width,)
        shapes[f"layer{number}/pointwise/kernel"] = (width, next_width)
        shapes[f"layer{number}/pointwise/bias"] = (next_width,)
    shapes["dense/kernel"] = (CHANNELS[-1], CLASS_COUNT)
    shapes["dense/bias"] = (CLASS_COUNT,)
    return shapes


def read_weights(path: Path) -> Weights:
    """Return the folded weights of a `.npz` or `.h5` file, without running any code of the file.

    Raises FileMissing; FormatUnknown when the file has another format or is not YAMNet; ModelUnsafe when HDF5 data lies
    in another file; CompilerMissing when h5py is not installed.
    """
    if not path.is_file():
        raise FileMissing(f"{path} is not a file.", remedy=SUPPORTED_SOURCES)
    if path.stat().st_size > LARGEST_SOURCE_BYTES:
        raise FormatUnknown(f"{path} is too large to be YAMNet's weights.", remedy=SUPPORTED_SOURCES)
    with open_regular(path) as file:
        head = file.read(8)
    if head.startswith(b"PK"):
        return check_weights(_read_npz(path), str(path))
    if head == b"\x89HDF\r\n\x1a\n":
        return check_weights(fold_batch_norm(_read_h5(path), str(path)), str(path))
    raise FormatUnknown(f"{path} begins with {head!r}: neither HDF5 nor npz.", remedy=SUPPORTED_SOURCES)


def fold_batch_norm(raw: Mapping[str, NDArray[np.float32]], source: str) -> Weights:
    """Return the folded weights for unfolded ones, which are named by path as `layer1/conv/bn/beta`.

    With scale = gamma / sqrt(variance + epsilon) and gamma = 1 where there is none, kernel' = kernel * scale and
    bias = beta - mean * scale: the batch norm y = gamma * (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and
    Szegedy, 2015) of the convolution x. The dense layer is found by its shape, because Keras numbers its name. `source`
    names the file in errors. Raises FormatUnknown for a missing weight or another shape.
    """
    known: dict[tuple[str, str], NDArray[np.float32]] = {}
    folded: Weights = {}
    for name, values in raw.items():
        found = _RAW_NAME.search(name)
        if found:
            known[found["layer"], found["weight"].removeprefix("depthwise_")] = values
        elif values.shape == (CHANNELS[-1], CLASS_COUNT):
            folded["dense/kernel"] = values
        elif values.shape == (CLASS_COUNT,):
            folded["dense/bias"] = values
    for target, shape in list_expected_shapes().items():
        layer, weight = target.rsplit("/", 1)
        if layer == "dense" or weight == "bias":
            continue
        layer_in_file = layer if layer == "layer1/conv" else f"{layer}_conv"
        try:
            kernel, beta, mean, variance = (
                known[layer_in_file, part] for part in ("kernel", "beta", "moving_mean", "moving_variance")
            )
        except KeyError as missing:
            raise FormatUnknown(
                f"{source} has no {'/'.join(missing.args[0])}: not YAMNet.", remedy=SUPPORTED_SOURCES
            ) from None
        if kernel.size != np.prod(shape) or not beta.shape == mean.shape == variance.shape == (shape[-1],):
            raise FormatUnknown(
                f"{source}: {layer_in_file} has shape {kernel.shape}, not YAMNet's.", remedy=SUPPORTED_SOURCES
            )
        deviation = np.sqrt(variance.astype(np.float64) + BATCH_NORM_EPSILON)
        scale = known.get((layer_in_file, "gamma"), np.float32(1)) / deviation
        folded[target] = (kernel.reshape(shape) * scale).astype(np.float32)
        folded[f"{layer}/bias"] = (beta - mean * scale).astype(np.float32)
    return folded


def check_weights(weights: Mapping[str, NDArray[np.float32]], source: str) -> Weights:
    """Return the weights of YAMNet as contiguous float32, without any others.

    Raises FormatUnknown for a weight that is missing, has another shape or is not finite.
    """
    complete: Weights = {}
    for name, shape in list_expected_shapes().items():
        if name not in weights:
            raise FormatUnknown(f"{source} has no {name}: not YAMNet.", remedy=SUPPORTED_SOURCES)
        values = weights[name]
        if values.shape != shape or values.dtype.kind != "f":
            raise FormatUnknown(
                f"{source}: {name} is {values.dtype} {values.shape}, not float32 {shape}.", remedy=SUPPORTED_SOURCES
            )
        if not np.isfinite(values).all():
            raise FormatUnknown(f"{source}: {name} holds values that are not finite.", remedy=SUPPORTED_SOURCES)
        complete[name] = np.ascontiguousarray(values, dtype=np.float32)
    return complete


def _read_npz(path: Path) -> Weights:
    wanted = list_expected_shapes()
    try:
        # numpy leaves a file that it opened itself open when the archive is cut off.
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if name in wanted}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise FormatUnknown(f"{path} is not a readable .npz file: {error}", remedy=SUPPORTED_SOURCES) from error


def _read_h5(path: Path) -> Weights:
    try:
        import h5py
    except ImportError as error:
        raise CompilerMissing(f"Reading {path.name} needs h5py.") from error

    raw: Weights = {}

    def collect(name: str, item: object) -> None:
        if not isinstance(item, h5py.Dataset) or item.dtype.kind != "f":
            return
        if item.external or item.is_virtual:
            raise ModelUnsafe(f"{path}: {name} keeps its values in another file.", remedy=SUPPORTED_SOURCES)
        raw[name] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(collect)
    except (OSError, RuntimeError, KeyError) as error:
        raise FormatUnknown(f"{path} is not a readable HDF5 file: {error}", remedy=SUPPORTED_SOURCES) from error
    return raw
