"""Loads ONNX files, which need no conversion: parity compares the optimized graph with the graph as it is."""

from typing import Any

import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from understudy.compiler.formats import onnx_graph
from understudy.compiler.formats.loaded_model import FLOAT_TOLERANCE, Tensors, take_first_line
from understudy.errors import CompileFailed
from understudy.errors.memory_errors import mentions_memory
from understudy.schemas.compiler.spec import PartialSpec

OLDEST_OPSET = 7  # the oldest that ONNX Runtime supports


def open_session(model: bytes | str, *, optimize: bool = True) -> ort.InferenceSession:
    """Return a CPU session with one thread; raises CompileFailed with ONNX Runtime's message."""
    options = ort.SessionOptions()
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimize else level.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime's exceptions share no base class but Exception.
        raise CompileFailed(
            f"ONNX Runtime {ort.__version__} cannot build the graph: {take_first_line(error)}",
            remedy="Export it with an operator set that this ONNX Runtime knows, and with standard operators only.",
        ) from error


def run_session(session: ort.InferenceSession, tensors: Tensors) -> dict[str, NDArray[Any]]:
    """Return all outputs by name; raises ValueError when the graph refuses the inputs, and MemoryError."""
    names = [output.name for output in session.get_outputs()]
    try:
        return dict(zip(names, session.run(names, dict(tensors)), strict=True))
    except Exception as error:
        # ONNX Runtime's exceptions share no base class but Exception.
        if mentions_memory(str(error)):
            raise MemoryError(str(error)) from error
        raise ValueError(str(error)) from error


class OnnxFile:
    """A graph as it was registered; implements `LoadedModel`."""

    tolerance = FLOAT_TOLERANCE

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._session = open_session(model.SerializeToString(), optimize=False)
        self.inputs = onnx_graph.read_inputs(model)
        self.framework = f"onnxruntime {ort.__version__}"
        producer = " ".join(part for part in (model.producer_name, model.producer_version) if part)
        self.written_by = producer or None
        self.notes: tuple[str, ...] = ()
        self.hints = PartialSpec(labels=onnx_graph.read_metadata_labels(model))

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return run_session(self._session, tensors)

    def to_onnx(self) -> onnx.ModelProto:
        return self._model


def load(model: onnx.ModelProto) -> OnnxFile:
    """Wrap a graph that was scanned before.

    Raises CompileFailed for an operator set below OLDEST_OPSET and for inputs or outputs that are not numeric tensors.
    """
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None)
    if opset is not None and opset < OLDEST_OPSET:
        raise CompileFailed(
            f"The file uses operator set {opset}; {OLDEST_OPSET} is the oldest that can be served.",
            remedy=f"Convert it: onnx.version_converter.convert_version(model, {OLDEST_OPSET} or higher).",
        )
    if names := onnx_graph.find_non_tensors(model):
        raise CompileFailed(
            f"These inputs or outputs are not numeric tensors: {', '.join(names)}.",
            remedy="Export with tensors only (for scikit-learn: options={'zipmap': False}, no string labels).",
        )
    return OnnxFile(model)
