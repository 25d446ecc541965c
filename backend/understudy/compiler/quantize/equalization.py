"""Equalizes the channel ranges of neighboring convolutions, so that one scale for all channels loses little.

ReLU(s x) = s ReLU(x) for s > 0. A factor can therefore move from one layer's output channel into the next layer's input
channel without changing what the network computes.

Sources: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019; the balance
between weights and activations is that of SmoothQuant, Xiao et al., ICML 2023.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import numpy_helper

_BALANCE = 0.5  # the exponent of both ranges; on YAMNet 0.25 and 1.0 lose more
_SMALLEST = 1e-6
_LARGEST_FACTOR = 1e4


@dataclass(frozen=True)
class _Pair:
    """Two convolutions with a ReLU between them; `activation` names the ReLU's output."""

    first: onnx.NodeProto
    activation: str
    second: onnx.NodeProto
    depthwise: bool


def equalize(model: onnx.ModelProto, feeds: Sequence[Mapping[str, NDArray[np.float32]]]) -> int:
    """Rescale the weights of `model` in place and return how many pairs of convolutions were equalized.

    A pair is Conv, ReLU, Conv, where nothing else reads the tensors between them, and the second convolution is
    depthwise or reads all channels. `feeds` are inputs of the graph by name; they give max |x_c|, the largest
    activation of each channel c between the two.

    Weights and biases of the first layer's channel c are divided by s_c, the second layer's weights for it multiplied.
    Before a convolution over all channels s_c = sqrt(max |x_c| / max |w_c|), before a depthwise one s_c = max |x_c|,
    each divided by its geometric mean over the channels and limited to 1e-4 to 1e4.
    """
    _unshare_constants(model)
    pairs = _find_pairs(model)
    if not pairs:
        return 0
    largest = _measure_peaks(model, [pair.activation for pair in pairs], feeds)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for pair in pairs:
        second = numpy_helper.to_array(constants[pair.second.input[1]])
        seen = np.maximum(largest[pair.activation], _SMALLEST)
        if pair.depthwise:  # its weights have one scale for each channel, so no factor costs precision
            factors = seen
        else:
            weights = np.maximum(np.abs(second).max(axis=(0, 2, 3)), _SMALLEST)
            factors = seen**_BALANCE / weights ** (1 - _BALANCE)
        factors = factors / np.exp(np.log(factors).mean())
        factors = np.clip(factors, 1 / _LARGEST_FACTOR, _LARGEST_FACTOR).astype(np.float32)
        for name in pair.first.input[1:3]:
            values = numpy_helper.to_array(constants[name])
            _set_values(constants[name], values / factors.reshape(-1, *[1] * (values.ndim - 1)))
        shape = (-1, 1, 1, 1) if pair.depthwise else (1, -1, 1, 1)
        _set_values(constants[pair.second.input[1]], second * factors.reshape(shape))
    return len(pairs)


def _set_values(tensor: onnx.TensorProto, values: NDArray[np.float32]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), tensor.name))


def _unshare_constants(model: onnx.ModelProto) -> None:
    """Give every convolution its own constants, because optimizers merge equal ones, such as biases of zero."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    used: set[str] = set()
    for index, node in enumerate(model.graph.node):
        for position, name in enumerate(node.input if node.op_type == "Conv" else ()):
            if name in used:
                own = model.graph.initializer.add()
                own.CopyFrom(constants[name])
                own.name = node.input[position] = f"{name}/{index}"
            elif name in constants:
                used.add(name)


def _find_pairs(model: onnx.ModelProto) -> list[_Pair]:
    graph = model.graph
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    outputs = {output.name for output in graph.output}
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}

    def find_lone_user(name: str, operator: str) -> onnx.NodeProto | None:
        found = users.get(name, [])
        return found[0] if len(found) == 1 and found[0].op_type == operator and name not in outputs else None

    def has_own_weights(node: onnx.NodeProto) -> bool:
        names = node.input[1:]
        return len(shapes.get(node.input[1], ())) == 4 and all(
            name in shapes and len(users[name]) == 1 and name not in outputs for name in names
        )

    pairs = []
    for first in graph.node:
        relu = find_lone_user(first.output[0], "Relu") if first.op_type == "Conv" else None
        second = find_lone_user(relu.output[0], "Conv") if relu is not None else None
        if relu is None or second is None or not has_own_weights(first) or not has_own_weights(second):
            continue
        channels, (out, inside, *_) = shapes[first.input[1]][0], shapes[second.input[1]]
        depthwise = inside == 1 and out == channels
        if depthwise or inside == channels:
            pairs.append(_Pair(first, relu.output[0], second, depthwise))
    return pairs


def _measure_peaks(
    model: onnx.ModelProto, names: Sequence[str], feeds: Sequence[Mapping[str, NDArray[np.float32]]]
) -> dict[str, NDArray[np.float32]]:
    """Return for each tensor float32 [n, channels, rows, columns] in `names` its largest value in each channel."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    found: dict[str, NDArray[np.float32]] = {}
    for feed in feeds:
        for name, values in zip(names, session.run(list(names), dict(feed)), strict=True):
            seen = np.asarray(values).max(axis=(0, 2, 3))
            found[name] = np.maximum(found[name], seen) if name in found else seen
    return found
