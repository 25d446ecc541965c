"""Runs ONNX graphs with ONNX Runtime and this server's options."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from understudy.errors import CannotServe
from understudy.inference.runtime.session import Tensors, to_run_failed
from understudy.inference.runtime.tensor_signature import GraphTensor

# The errors that loading or running a graph can raise; they have no common base class in ONNX Runtime.
_ORT_ERRORS: tuple[type[Exception], ...] = (
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
_RUN_ERRORS: tuple[type[Exception], ...] = (*_ORT_ERRORS, MemoryError)
# Errors are raised; a client could fill the log with those that its recordings cause.
_FATAL = 4
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}


class OnnxSession:
    """A session of ONNX Runtime; implements `Session`."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self.inputs = tuple(map(_describe, session.get_inputs()))
        self.outputs = tuple(map(_describe, session.get_outputs()))
        self._session = session
        self._running: set[ort.RunOptions] = set()

    def run(self, outputs: Sequence[str], tensors: Tensors, *, keep_memory: bool = True) -> list[NDArray[Any]]:
        options = ort.RunOptions()
        options.log_severity_level = _FATAL
        if not keep_memory:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._running.add(options)
        try:
            answers: list[NDArray[Any]] = self._session.run(list(outputs), dict(tensors), options)
        except _RUN_ERRORS as error:
            raise to_run_failed(error) from error
        finally:
            self._running.discard(options)
        return answers

    def stop_runs(self) -> None:
        """Make running runs fail before their next operator; an operator that runs is not interrupted."""
        for options in self._running.copy():
            options.terminate = True


def build_session(model: Path | str | bytes, threads: int = 1) -> OnnxSession:
    """Return a session on the CPU that runs an operator on `threads` threads, which do not spin while they are idle.

    Under load, one thread in each session and one caller on each core are fastest. Raises CannotServe when ONNX Runtime
    cannot load the graph.
    """
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return OnnxSession(
            ort.InferenceSession(
                str(model) if isinstance(model, Path) else model, options, providers=["CPUExecutionProvider"]
            )
        )
    except _ORT_ERRORS as error:
        raise CannotServe(f"ONNX Runtime cannot load the graph: {error}") from error


def _describe(node: ort.NodeArg) -> GraphTensor:
    name = _DTYPES.get(node.type)
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return GraphTensor(node.name, None if name is None else np.dtype(name), shape)
