"""Wraps a loaded model of Keras 2 or Keras 3 for the compiler."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import onnx
from numpy.typing import NDArray

from understudy.compiler.formats import tensorflow_graph
from understudy.compiler.formats.loaded_model import Tensors
from understudy.errors import CompileFailed
from understudy.schemas.compiler.spec import PartialSpec
from understudy.tensor_names import make_distinct


def _strip_scope(name: str) -> str:
    """Return a tensor's name without TensorFlow's `:0` and with `_` between scopes."""
    return name.split(":", maxsplit=1)[0].replace("/", "_") or "tensor"


def _read_output_names(model: Any, outputs: Sequence[Any]) -> list[str]:
    """Return the names of the layers that give the outputs; a Sequential of Keras 3 does not list them itself."""
    names = getattr(model, "output_names", None) or [tensor._keras_history[0].name for tensor in outputs]  # noqa: SLF001
    return [_strip_scope(str(name)) for name in names]


class KerasModel:
    """A built Keras model; implements `LoadedModel`.

    `tracing` is a context manager that is entered while the model is traced for conversion, for layers that ONNX needs
    in another form. Raises CompileFailed when the model has no input shape.
    """

    def __init__(
        self,
        model: Any,
        *,
        framework: str,
        written_by: str | None,
        tracing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
        if not inputs or not outputs:
            raise CompileFailed(
                "The model was saved before it knew its input shape.",
                remedy="Call the model once on real input (or give it an Input layer), then save it again.",
            )
        self.framework = framework
        self.written_by = written_by
        self.hints = PartialSpec()
        self.notes: tuple[str, ...] = ()
        names = make_distinct([_strip_scope(tensor.name) for tensor in inputs])
        self.inputs = tuple(
            tensorflow_graph.describe_tensor(name, tensor) for name, tensor in zip(names, inputs, strict=True)
        )
        # An output may share its name with an input (a model that hands its input on), and ONNX has one name space.
        self._outputs = make_distinct([*names, *_read_output_names(model, outputs)])[len(names) :]
        self._model = model
        self._tracing = tracing
        # One trace serves all shapes: a recurrent layer without a trace costs seconds for each probe.
        self._reference, self.tolerance = tensorflow_graph.trace_reference(self._call, self.inputs)

    def _call(self, *tensors: Any) -> dict[str, Any]:
        answer = self._model(tensors[0] if len(tensors) == 1 else list(tensors), training=False)
        return tensorflow_graph.name_outputs(answer, self._outputs)

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return tensorflow_graph.call_function(self._reference, tensors, self.inputs)

    def to_onnx(self) -> onnx.ModelProto:
        with self._tracing():
            return tensorflow_graph.convert(self._call, self.inputs, self._outputs)
