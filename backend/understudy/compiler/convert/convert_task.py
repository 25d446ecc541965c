"""Finds out the format of a source in the child process, and converts it."""

from collections.abc import Callable
from importlib import import_module

from understudy.compiler.formats.detect_format import detect_format
from understudy.compiler.isolation.child_protocol import PROBE, ConvertRequest, ConvertResult
from understudy.schemas.compiler.model_format import ModelFormat

_SUFFIX = {
    ModelFormat.KERAS: ".keras",
    ModelFormat.H5: ".h5",
    ModelFormat.TFLITE: ".tflite",
    ModelFormat.ONNX: ".onnx",
    ModelFormat.SAVED_MODEL: "",
}


def convert(request: ConvertRequest, isolation: tuple[str, ...], on_step: Callable[[str], None]) -> ConvertResult:
    """Write the served model and probes.npz into `request.out` and return what the child found out.

    The source gets a name that ends as its content asks, because Keras chooses its reader by the name. Raises
    FormatUnknown, and what `conversion.convert` raises.
    """
    on_step(PROBE)
    found = detect_format(request.source, request.name)
    named = request.source.with_name(f"model{_SUFFIX[found.kind]}")
    request.source.rename(named)
    on_step("load")
    # Imported late: what cannot be converted is refused before the libraries are loaded.
    conversion = import_module("understudy.compiler.convert.conversion")
    result: ConvertResult = conversion.convert(request, found, named, isolation, on_step)
    return result
