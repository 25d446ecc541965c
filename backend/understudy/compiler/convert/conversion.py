"""Converts a model in the child process: scan, load, convert, prove parity."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from understudy.compiler.compiled_store import MODEL_FILE, PROBES_FILE
from understudy.compiler.convert import parity
from understudy.compiler.formats import onnx_file, onnx_graph, open_source
from understudy.compiler.formats.loaded_model import LoadedModel, read_signature
from understudy.compiler.isolation.child_protocol import ConvertRequest, ConvertResult
from understudy.compiler.isolation.process_limits import measure_peak_memory
from understudy.errors import CompileFailed
from understudy.schemas.compiler.model_format import ModelFormat
from understudy.schemas.compiler.report import TensorSignature

_PROTOBUF_BYTES = (1 << 31) - 1
_PACKAGES = (
    "ai-edge-litert",
    "keras",
    "numpy",
    "onnx",
    "onnxruntime",
    "tensorflow",
    "tensorflow-cpu",
    "tf-keras",
    "tf2onnx",
)


def list_versions() -> dict[str, str]:
    """Return the versions of the installed packages that take part in a compilation."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _write_model(model: onnx.ModelProto, target: Path) -> str:
    if model.ByteSize() > _PROTOBUF_BYTES:
        raise CompileFailed(
            f"The model needs {model.ByteSize()} bytes as ONNX; one file holds {_PROTOBUF_BYTES}.",
            remedy="Save a smaller model, for instance in half precision.",
        )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise CompileFailed(
            f"The converted graph breaks the ONNX standard: {str(error).strip().splitlines()[0][:300]}",
            remedy="Export the model to ONNX with its own framework and register that file.",
        ) from error
    target.write_bytes(model.SerializeToString())
    return str(target)


def prove(loaded: LoadedModel, session: ort.InferenceSession) -> parity.Agreement:
    """Compare the framework's answers with those of ONNX Runtime; raises as `parity.compare`."""
    return parity.compare(
        loaded.predict, lambda tensors: onnx_file.run_session(session, tensors), loaded.inputs, loaded.tolerance
    )


def _read_observed_outputs(model: onnx.ModelProto, agreement: parity.Agreement) -> tuple[TensorSignature, ...]:
    """Return the graph's outputs with the dimensions that the probes observed, because converters lose some."""
    return tuple(
        read_signature(output.name, output.dtype, agreement.shapes[output.name])
        for output in onnx_graph.read_outputs(model)
    )


def convert(request: ConvertRequest, isolation: tuple[str, ...], on_step: Callable[[str], None]) -> ConvertResult:
    """Write model.onnx and probes.npz into `request.out` and return what the child found out.

    `isolation` names the limits that hold; `on_step` is called with load, convert and parity. Raises ModelUnsafe,
    FormatUnknown, CompileFailed, ParityFailed and CompilerMissing.
    """
    on_step("load")
    loaded = open_source.open_source(request.source, request.kind, request.keras_version, request.limits.memory_bytes)
    on_step("convert")
    model = loaded.to_onnx()
    path = _write_model(model, request.out / MODEL_FILE)
    on_step("parity")
    session = onnx_file.open_session(path)
    agreement = prove(loaded, session)
    arrays = {f"in.{name}": values for name, values in agreement.inputs.items()}
    arrays |= {f"out.{name}": values for name, values in agreement.outputs.items()}
    np.savez(request.out / PROBES_FILE, allow_pickle=False, **arrays)
    return ConvertResult(
        framework=loaded.framework,
        written_by=loaded.written_by,
        inputs=loaded.inputs,
        outputs=_read_observed_outputs(model, agreement),
        hints=loaded.hints,
        activations=tuple(onnx_graph.find_final_activation(model, output.name) for output in model.graph.output),
        parity=agreement.probes,
        peak_memory_bytes=measure_peak_memory(),
        isolation=isolation,
        notes=loaded.notes,
        versions=list_versions() if request.kind is not ModelFormat.ONNX else _drop_frameworks(list_versions()),
    )


def _drop_frameworks(found: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in found.items() if name in ("numpy", "onnx", "onnxruntime")}
