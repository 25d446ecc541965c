"""Quantizes a float32 graph to int8, in the compiler's child process.

Static quantization in QDQ form: activations uint8, weights int8 with one scale for each output channel, as ONNX
Runtime's documentation recommends for x86. Layers that lose too much in 8 bits stay in float32.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_static,
)

from understudy.compiler.compiled_store import MODEL_FILE, PROBES_FILE
from understudy.compiler.isolation.child_protocol import QuantizeRequest, QuantizeResult
from understudy.compiler.isolation.process_limits import measure_peak_memory
from understudy.compiler.quantize.equalization import equalize
from understudy.errors import CompileFailed
from understudy.schemas.compiler.quantization import KeptLayer

BUDGET = 0.125  # relative error of the output; on YAMNet's embedding it keeps 99 % of ESC-10's labels
_WATCHED_FEEDS = 8
_HEAVY = ("Conv", "Gemm", "MatMul")
_OPERATORS = [*_HEAVY, "Relu", "Clip", "MaxPool", "Add", "Concat"]
_FEWEST_LAYERS = 3
_SMALLEST = 1e-12

Feed = Mapping[str, NDArray[Any]]


class _Feeds(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime's quantizer carries no types
    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._left = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._left, None)


class _Quantizer:
    """Quantizes one prepared graph several times after calibrating it once."""

    def __init__(self, model: onnx.ModelProto, feeds: Sequence[Feed], output: str, scratch: Path) -> None:
        self._model = model
        self._feeds = feeds
        self._watched = feeds[:: max(1, len(feeds) // _WATCHED_FEEDS)][:_WATCHED_FEEDS]
        self._output = output
        self._scratch = scratch
        self.layers = _find_layers(model)
        self._reference = self._run(_open_session(model.SerializeToString()))

    def write(self, kept: Collection[str]) -> Path:
        """Write the int8 graph with the layers in `kept` left in float32, and return its path."""
        target = self._scratch / "quantized.onnx"
        left = {node for name in kept for node in self.layers[name]}
        constant = {node for nodes in self.layers.values() for node in nodes}
        heavy = {node.name for node in self._model.graph.node if node.op_type in _HEAVY}
        quantize_static(
            _copy_model(self._model),
            target,
            _Feeds(self._feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_OPERATORS,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=sorted(left | (heavy - constant)),
            calibration_cache_path=self._scratch / "ranges.json",
        )
        return target

    def measure_noise(self, kept: Collection[str]) -> float:
        """Return the int8 graph's relative error with the layers in `kept` left in float32.

        It is the mean of |int8 - float32| / |float32|, Euclidean norms over rows of the watched output.
        """
        found = self._run(_open_session(str(self.write(kept))))
        errors = np.linalg.norm(found - self._reference, axis=1)
        return float(np.mean(errors / np.maximum(np.linalg.norm(self._reference, axis=1), _SMALLEST)))

    def _run(self, session: ort.InferenceSession) -> NDArray[np.float64]:
        parts = [np.asarray(session.run([self._output], dict(feed))[0], np.float64) for feed in self._watched]
        return np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])


def quantize(request: QuantizeRequest, isolation: tuple[str, ...], on_step: Callable[[str], None]) -> QuantizeResult:
    """Write the int8 variant as model.onnx with probes.npz into `request.out` and return what became of each layer.

    All layers but the first and the last become int8. When the output's relative error then exceeds BUDGET, the
    layers with the largest error of their own stay in float32, one after the other, at most half of them.
    `isolation` names the limits that hold; `on_step` is called with equalize, calibrate, sensitivity (only where it is
    measured) and write. Raises CompileFailed when the graph has fewer than three layers.
    """
    on_step("equalize")
    feeds = _load_feeds(request.feeds, request.source)
    model = _prepare_model(request.source, request.limits.scratch)
    pairs = equalize(model, feeds)
    on_step("calibrate")
    quantizer = _Quantizer(model, feeds, request.output, request.limits.scratch)
    names = list(quantizer.layers)
    if len(names) < _FEWEST_LAYERS:
        raise CompileFailed(
            f"The graph has {len(names)} convolutions and matrix products, and the first and the last stay in float32.",
            remedy="Serve it in float32: there is next to nothing that int8 could make faster.",
        )
    kept, noise = _choose_kept_layers(quantizer, on_step)
    on_step("write")
    made = quantizer.write(kept)
    made.rename(request.out / MODEL_FILE)
    _record_probes(request.out, feeds[0])
    return QuantizeResult(
        layers=len(names),
        equalized_pairs=pairs,
        kept=tuple(kept[name] for name in names if name in kept),
        noise=noise,
        isolation=isolation,
        peak_memory_bytes=measure_peak_memory(),
        versions={name: version(name) for name in ("numpy", "onnx", "onnxruntime")},
    )


def _choose_kept_layers(quantizer: _Quantizer, on_step: Callable[[str], None]) -> tuple[dict[str, KeptLayer], float]:
    """Return the layers that stay in float32, by name, and the relative error of the output that remains."""
    first, *inner, last = quantizer.layers
    kept = {
        first: KeptLayer(name=first, reason="first", noise=None),
        last: KeptLayer(name=last, reason="last", noise=None),
    }
    noise = quantizer.measure_noise(kept)
    if noise <= BUDGET:
        return kept, noise
    on_step("sensitivity")
    alone = {name: quantizer.measure_noise(set(quantizer.layers) - {name}) for name in inner}
    for name in sorted(alone, key=lambda each: -alone[each])[: len(alone) // 2]:
        kept[name] = KeptLayer(name=name, reason="sensitive", noise=alone[name])
        noise = quantizer.measure_noise(kept)
        if noise <= BUDGET:
            break
    return kept, noise


def _open_session(model: str | bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _copy_model(model: onnx.ModelProto) -> onnx.ModelProto:
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    return copied


def _load_feeds(path: Path, source: Path) -> list[Feed]:
    name = _open_session(str(source)).get_inputs()[0].name
    with np.load(path, allow_pickle=False) as arrays:
        return [{name: arrays[key]} for key in arrays.files]


def _prepare_model(source: Path, scratch: Path) -> onnx.ModelProto:
    """Return the graph with batch norms folded, shapes inferred and a name for every node."""
    target = scratch / "prepared.onnx"
    quant_pre_process(source, target, skip_symbolic_shape=True)  # symbolic inference needs SymPy
    model = onnx.load(target)
    for index, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type.lower()}_{index}"
    return model


def _find_layers(model: onnx.ModelProto) -> dict[str, list[str]]:
    """Return the convolutions and matrix products with constant weights, in the order of the graph.

    A layer's nodes are its own node and the ReLU or Clip that is fused with it.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    found = {}
    for node in model.graph.node:
        if node.op_type in _HEAVY and len(node.input) > 1 and node.input[1] in constants:
            after = users.get(node.output[0], [])
            fused = [each.name for each in after if len(after) == 1 and each.op_type in ("Relu", "Clip")]
            found[node.name] = [node.name, *fused]
    return found


def _record_probes(out: Path, feed: Feed) -> None:
    session = _open_session(str(out / MODEL_FILE))
    names = [output.name for output in session.get_outputs()]
    arrays: dict[str, Any] = {f"in.{name}": values for name, values in feed.items()}
    arrays |= {f"out.{name}": values for name, values in zip(names, session.run(names, dict(feed)), strict=True)}
    np.savez(out / PROBES_FILE, allow_pickle=False, **arrays)
