"""ONNX Runtime sessions as this system runs them."""

from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from understudy.errors import CannotServe

# What loading or running a graph can raise; ONNX Runtime gives them no base class of their own.
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
    """A session on the CPU with `threads` threads inside an operator, none of which spins while idle.

    One thread a session and as many callers as cores is fastest under load. Raises CannotServe when ONNX Runtime
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
