"""The file formats that the compiler reads."""

from enum import StrEnum


class ModelFormat(StrEnum):
    """A model file's format, as its content says."""

    KERAS = "keras"
    H5 = "h5"
    SAVED_MODEL = "saved_model"
    TFLITE = "tflite"
    ONNX = "onnx"
