"""Loads TensorFlow Lite files with LiteRT and converts them with tf2onnx."""

import importlib.metadata
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tf2onnx
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from understudy.compiler.formats.keras.keras_model import make_distinct
from understudy.compiler.formats.loaded_model import (
    FLOAT_TOLERANCE,
    OPSET,
    QUANTIZED_TOLERANCE,
    Tensors,
    read_signature,
    take_first_line,
)
from understudy.compiler.formats.tensorflow_graph import finish_model
from understudy.errors import CompileFailed, SpecInvalid
from understudy.schemas.compiler.spec import PartialSpec
from understudy.text_file import decode_text

_LABEL_BYTES = 1 << 20


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
    """An interpreter and its file; implements `LoadedModel`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # Built-in kernels only: delegates trade accuracy for speed, and this is the reference for parity.
        self._interpreter = Interpreter(
            model_path=str(path),
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._in = self._interpreter.get_input_details()
        self._out = self._interpreter.get_output_details()
        names = make_distinct([detail["name"].split(":")[0] for detail in self._in])
        self.inputs = tuple(
            read_signature(name, detail["dtype"], tuple(int(dim) for dim in detail["shape_signature"]))
            for name, detail in zip(names, self._in, strict=True)
        )
        self._outputs = make_distinct([*names, *(detail["name"].split(":")[0] for detail in self._out)])[len(names) :]
        tensors = self._interpreter.get_tensor_details()
        quantized = any(detail["dtype"] in (np.int8, np.uint8, np.int16) for detail in tensors)
        self.tolerance = QUANTIZED_TOLERANCE if quantized else FLOAT_TOLERANCE
        self.framework = f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}"
        self.written_by: str | None = None
        self.notes: tuple[str, ...] = ()
        width = int(self._out[0]["shape_signature"][-1]) if len(self._out[0]["shape_signature"]) else None
        self.hints = PartialSpec(labels=_read_labels(path, width))

    def predict(self, tensors: Tensors) -> dict[str, NDArray[Any]]:
        for detail, signature in zip(self._in, self.inputs, strict=True):
            self._interpreter.resize_tensor_input(detail["index"], tensors[signature.name].shape)
        self._interpreter.allocate_tensors()
        for detail, signature in zip(self._in, self.inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], tensors[signature.name])
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(detail["index"])
            for name, detail in zip(self._outputs, self._out, strict=True)
        }

    def to_onnx(self) -> onnx.ModelProto:
        model, _ = tf2onnx.convert.from_tflite(
            str(self._path),
            input_names=[detail["name"] for detail in self._in],
            output_names=[detail["name"] for detail in self._out],
            opset=OPSET,
        )
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
