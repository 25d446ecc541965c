"""Loads TensorFlow Lite files with LiteRT, converts them with tf2onnx, and proves LiteRT's own kernels.

LiteRT checks every offset of the flatbuffer and the size of every constant when it opens a file. It knows built-in
operators only, so that a custom operator is refused.
"""

import importlib.metadata
import zipfile
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tf2onnx
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from understudy.compiler.formats.loaded_model import (
    FLOAT_TOLERANCE,
    OPSET,
    QUANTIZED_TOLERANCE,
    Tensors,
    read_signature,
    take_first_line,
)
from understudy.compiler.formats.tensorflow_graph import finish_model
from understudy.errors import CompileFailed, SpecInvalid, UnderstudyError
from understudy.files.text_file import decode_text
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec
from understudy.tensor_names import name_tensors
from understudy.yamnet.constants import CLASS_COUNT

_LABEL_BYTES = 1 << 20
_YAMNET_NOTE = (
    "The model returns YAMNet's 521 scores. If it is YAMNet itself, `understudy backbone install` installs it once for "
    "all heads that take its embeddings or scores."
)
_ACTIVATIONS = {"SOFTMAX": OutputActivation.SOFTMAX, "LOGISTIC": OutputActivation.SIGMOID}
_PASSED_THROUGH = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST"}


def _read_labels(path: Path, width: int | None) -> tuple[str, ...] | None:
    """Return the labels of the label file in TensorFlow Lite's metadata, a zip behind the model.

    None when there is no label file or it does not have `width` distinct labels.
    """
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".txt") and info.file_size <= _LABEL_BYTES:
                try:
                    lines = decode_text(archive.read(info), info.filename).text.splitlines()
                except SpecInvalid:  # in an unknown encoding: better no names than wrong ones
                    continue
                words = tuple(line.strip() for line in lines if line.strip())
                if len(words) == width and len(set(words)) == len(words):
                    return words
    return None


class TFLite:
    """An interpreter and its file; implements `OwnRuntime`."""

    runtime = Runtime.LITERT

    def __init__(self, path: Path) -> None:
        self._path = path
        # Without delegates, which trade accuracy for speed: this is the reference for ONNX.
        self._interpreter = self._open(OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
        self._in = self._interpreter.get_input_details()
        self._out = self._interpreter.get_output_details()
        names, self._outputs = name_tensors([each["name"] for each in self._in], [each["name"] for each in self._out])
        self.inputs = tuple(
            read_signature(name, detail["dtype"], tuple(int(dim) for dim in detail["shape_signature"]))
            for name, detail in zip(names, self._in, strict=True)
        )
        tensors = self._interpreter.get_tensor_details()
        self.is_quantized = any(detail["dtype"] in (np.int8, np.uint8, np.int16) for detail in tensors)
        self.tolerance = QUANTIZED_TOLERANCE if self.is_quantized else FLOAT_TOLERANCE
        self.framework = f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}"
        self.written_by: str | None = None
        widths = [int(detail["shape_signature"][-1]) for detail in self._out if len(detail["shape_signature"])]
        self.notes = (_YAMNET_NOTE,) if CLASS_COUNT in widths else ()
        self.hints = PartialSpec(labels=_read_labels(path, widths[0] if len(self._out[0]["shape_signature"]) else None))

    def _open(self, kernels: OpResolverType) -> Interpreter:
        return Interpreter(model_path=str(self._path), num_threads=1, experimental_op_resolver_type=kernels)

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return self._run(self._interpreter, tensors)

    def predict_by_reference(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return self._run(self._reference, tensors)

    def predict_as_served(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        return self._run(self._served, tensors)

    @cached_property
    def _reference(self) -> Interpreter:
        return self._open(OpResolverType.BUILTIN_REF)

    @cached_property
    def _served(self) -> Interpreter:
        return self._open(OpResolverType.BUILTIN)

    def _run(self, interpreter: Interpreter, tensors: Tensors) -> dict[str, NDArray[Any]]:
        for detail, signature in zip(self._in, self.inputs, strict=True):
            interpreter.resize_tensor_input(detail["index"], tensors[signature.name].shape)
        interpreter.allocate_tensors()
        interpreter.reset_all_variables()
        for detail, signature in zip(self._in, self.inputs, strict=True):
            interpreter.set_tensor(detail["index"], tensors[signature.name])
        interpreter.invoke()
        return {
            name: interpreter.get_tensor(detail["index"]) for name, detail in zip(self._outputs, self._out, strict=True)
        }

    def find_final_activation(self, output: str) -> OutputActivation:
        tensor = int(self._out[self._outputs.index(output)]["index"])
        makers = {
            int(made): operation
            for operation in self._interpreter._get_ops_details()  # noqa: SLF001 - LiteRT has no public way
            for made in operation["outputs"]
        }
        seen: set[int] = set()
        while tensor in makers and tensor not in seen:
            seen.add(tensor)
            operation = makers[tensor]
            if operation["op_name"] in _ACTIVATIONS:
                return _ACTIVATIONS[operation["op_name"]]
            if operation["op_name"] not in _PASSED_THROUGH:
                break
            tensor = int(operation["inputs"][0])
        return OutputActivation.NONE

    def to_onnx(self) -> onnx.ModelProto:
        try:
            model, _ = tf2onnx.convert.from_tflite(
                str(self._path),
                input_names=[detail["name"] for detail in self._in],
                output_names=[detail["name"] for detail in self._out],
                opset=OPSET,
            )
        except (UnderstudyError, MemoryError):
            raise
        except Exception as error:
            # tf2onnx raises what its parsers meet: KeyError, IndexError, struct.error and others.
            raise CompileFailed(f"tf2onnx cannot convert the file: {take_first_line(error)}") from error
        names = dict(zip([detail["name"] for detail in self._in], [s.name for s in self.inputs], strict=True))
        names |= dict(zip([detail["name"] for detail in self._out], self._outputs, strict=True))
        return finish_model(model, names, self._outputs)


def load(path: Path) -> TFLite:
    """Load a flatbuffer; raises CompileFailed when LiteRT cannot read it or it needs custom operators."""
    try:
        return TFLite(path)
    except (ValueError, RuntimeError) as error:
        raise CompileFailed(
            f"LiteRT cannot load the file: {take_first_line(error)}",
            remedy="Convert the model again with built-in operators only (no custom or Flex operators).",
        ) from error
