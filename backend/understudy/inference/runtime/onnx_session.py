"""Build ONNX Runtime sessions with this server's options."""

from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from understudy.errors import CannotServe

# The errors that loading or running a graph can raise; they have no common base class in ONNX Runtime.
ORT_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    ValueError,  # an input that is missing or unknown
)


def build_session(model: Path | str | bytes, threads: int = 1) -> ort.InferenceSession:
    """Return a session on the CPU that runs an operator on `threads` threads, which do not spin while they are idle.

    Under load, one thread in each session and one caller on each core are fastest. Raises CannotServe when ONNX Runtime
    cannot load the graph.
    """
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(
            str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"]
        )
    except ORT_ERRORS as error:
        raise CannotServe(f"ONNX Runtime cannot load the graph: {error}") from error
