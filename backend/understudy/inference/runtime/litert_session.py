"""Runs TensorFlow Lite files with LiteRT, for models that ONNX does not carry."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CannotServe, RuntimeMissing
from understudy.inference.runtime.session import RunFailed, Tensors, to_run_failed
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.tensor_names import name_tensors

_LITERT_ERRORS = (ValueError, RuntimeError)


@dataclass
class _Worker:
    """An interpreter, which one thread uses at a time, and the input shapes that it has memory for."""

    interpreter: Any
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)


class LiteRtSession:
    """A TensorFlow Lite model in memory; implements `Session`.

    An interpreter belongs to one thread while it runs, so that each concurrent run has its own. All share the bytes of
    the model. LiteRT's default kernels compute (XNNPACK where it knows an operator): the compiler compared these with
    the reference kernels, and the warm-up compares them again on this processor.
    """

    def __init__(self, content: bytes, threads: int = 1) -> None:
        """Raises RuntimeMissing when LiteRT is not installed, and CannotServe when it cannot load the model."""
        self._content = content
        self._threads = threads
        worker = self._create_worker()
        inputs, outputs = worker.interpreter.get_input_details(), worker.interpreter.get_output_details()
        names = name_tensors([each["name"] for each in inputs], [each["name"] for each in outputs])
        self.inputs = tuple(map(_describe, names[0], inputs))
        self.outputs = tuple(map(_describe, names[1], outputs))
        self._in = dict(zip(names[0], (int(each["index"]) for each in inputs), strict=True))
        self._out = dict(zip(names[1], (int(each["index"]) for each in outputs), strict=True))
        self._idle = deque([worker])

    def run(self, outputs: Sequence[str], tensors: Tensors, *, keep_memory: bool = True) -> list[NDArray[Any]]:
        if tensors.keys() != self._in.keys():
            raise RunFailed(f"the model takes the inputs {sorted(self._in)}, not {sorted(tensors)}")
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = self._create_worker()
        try:
            answers = self._run(worker, outputs, tensors)
        except (*_LITERT_ERRORS, MemoryError) as error:
            # The interpreter is not used again: a failed run may leave it half prepared.
            raise to_run_failed(error) from error
        if keep_memory:
            self._idle.append(worker)
        return answers

    def stop_runs(self) -> None:
        """LiteRT cannot stop a run."""

    def _run(self, worker: _Worker, outputs: Sequence[str], tensors: Tensors) -> list[NDArray[Any]]:
        interpreter = worker.interpreter
        shapes = {name: array.shape for name, array in tensors.items()}
        if shapes != worker.shapes:
            for name, shape in shapes.items():
                interpreter.resize_tensor_input(self._in[name], shape, strict=True)
            interpreter.allocate_tensors()
            worker.shapes = shapes
        interpreter.reset_all_variables()  # a recurrent layer would go on from the state that the last run left
        for name, array in tensors.items():
            interpreter.set_tensor(self._in[name], np.ascontiguousarray(array))
        interpreter.invoke()
        return [interpreter.get_tensor(self._out[name]) for name in outputs]

    def _create_worker(self) -> _Worker:
        try:
            litert = import_module("ai_edge_litert.interpreter")
        except ImportError as error:
            raise RuntimeMissing(f"LiteRT serves this model, and it cannot be imported: {error}.") from error
        try:
            interpreter = litert.Interpreter(
                model_content=self._content,
                num_threads=self._threads,
                experimental_op_resolver_type=litert.OpResolverType.BUILTIN,
            )
        except _LITERT_ERRORS as error:
            raise CannotServe(f"LiteRT cannot load the model: {str(error).strip()}") from error
        return _Worker(interpreter)


def _describe(name: str, details: dict[str, Any]) -> GraphTensor:
    """Return a tensor's name, type and shape; older files have no shape signature and no dimension that varies."""
    signature = details["shape_signature"]
    shape = signature if len(signature) == len(details["shape"]) else details["shape"]
    return GraphTensor(name, np.dtype(details["dtype"]), tuple(None if size < 0 else int(size) for size in shape))
