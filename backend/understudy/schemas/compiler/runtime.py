"""The library that executes a compiled model."""

from enum import StrEnum


class Runtime(StrEnum):
    """ONNX Runtime, or LiteRT for TensorFlow Lite files that ONNX does not carry."""

    ONNX = "onnxruntime"
    LITERT = "litert"

    @property
    def file_name(self) -> str:
        """The name of the model's file in the compiled store."""
        return "model.tflite" if self is Runtime.LITERT else "model.onnx"
