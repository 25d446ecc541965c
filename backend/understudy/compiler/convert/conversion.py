"""Converts a model in the child process: scan, load, convert, prove parity."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from understudy.compiler.compiled_store import PROBES_FILE
from understudy.compiler.convert import parity
from understudy.compiler.convert.signature_limits import check_inputs, check_outputs
from understudy.compiler.formats import onnx_file, onnx_graph, open_source
from understudy.compiler.formats.detect_format import DetectedFormat
from understudy.compiler.formats.loaded_model import LoadedModel, OwnRuntime, read_signature
from understudy.compiler.isolation.child_protocol import PARITY, ConvertRequest, ConvertResult
from understudy.compiler.isolation.process_limits import measure_peak_memory
from understudy.compiler.packages import list_versions
from understudy.errors import CompileFailed, ParityFailed
from understudy.schemas.compiler.model_format import ModelFormat
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import OutputActivation

OnStep = Callable[[str], None]

_PROTOBUF_BYTES = (1 << 31) - 1


@dataclass(frozen=True)
class ServedModel:
    """The file that the server will run, by its runtime, with the proof that it computes what the original does.

    `outputs` are in the order of the model, and `activations` are those that the graph applies last to each of them.
    """

    runtime: Runtime
    agreement: parity.Agreement
    outputs: tuple[TensorSignature, ...]
    activations: tuple[OutputActivation, ...]
    notes: tuple[str, ...] = ()


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


def _serve_by_onnx(loaded: LoadedModel, out: Path, on_step: OnStep) -> ServedModel:
    on_step("convert")
    model = loaded.to_onnx()
    path = _write_model(model, out / Runtime.ONNX.file_name)
    on_step(PARITY)
    agreement = prove(loaded, onnx_file.open_session(path))
    return ServedModel(
        runtime=Runtime.ONNX,
        agreement=agreement,
        # The dimensions are those that the probes observed, because converters lose some.
        outputs=tuple(
            read_signature(output.name, output.dtype, agreement.shapes[output.name])
            for output in onnx_graph.read_outputs(model)
        ),
        activations=tuple(onnx_graph.find_final_activation(model, output.name) for output in model.graph.output),
    )


def _serve_by_own_runtime(loaded: OwnRuntime, source: Path, out: Path) -> ServedModel:
    agreement = parity.compare(loaded.predict_by_reference, loaded.predict_as_served, loaded.inputs, loaded.tolerance)
    shutil.copyfile(source, out / loaded.runtime.file_name)
    return ServedModel(
        runtime=loaded.runtime,
        agreement=agreement,
        outputs=tuple(
            read_signature(name, values.dtype, agreement.shapes[name]) for name, values in agreement.outputs.items()
        ),
        activations=tuple(loaded.find_final_activation(name) for name in agreement.outputs),
    )


def serve(loaded: LoadedModel, source: Path, out: Path, on_step: OnStep) -> ServedModel:
    """Write the file that will be served into `out` and return its proof.

    ONNX comes first, but for a quantized model with a runtime of its own. Any format with a runtime of its own is
    served by that where ONNX has no equivalent or does not agree. Raises CompileFailed and ParityFailed.
    """
    if isinstance(loaded, OwnRuntime) and loaded.is_quantized:
        return _serve_quantized(loaded, source, out, on_step)
    try:
        return _serve_by_onnx(loaded, out, on_step)
    except (CompileFailed, ParityFailed) as refusal:
        if not isinstance(loaded, OwnRuntime):
            raise
        return _serve_instead(loaded, source, out, refusal)


def _serve_quantized(loaded: OwnRuntime, source: Path, out: Path, on_step: OnStep) -> ServedModel:
    """Serve by the own runtime, or by ONNX where the own kernels disagree with each other; the notes say why."""
    on_step(PARITY)
    try:
        served = _serve_by_own_runtime(loaded, source, out)
    except (CompileFailed, ParityFailed) as refusal:
        try:
            served = _serve_by_onnx(loaded, out, on_step)
        except (CompileFailed, ParityFailed) as error:
            remedy = " ".join([refusal.remedy, *loaded.notes])
            raise type(refusal)(f"{refusal.detail} As ONNX: {error.detail}", remedy=remedy) from error
        furthest = max((probe.max_abs_error for probe in served.agreement.probes), default=0.0)
        note = f"The file is quantized, and ONNX, which serves it, differs from it by up to {furthest:.2g}"
        return replace(served, notes=(f"{note}: {loaded.framework} could not serve it. {refusal.detail}",))
    note = f"The file is quantized, so {loaded.framework} serves it as it is; ONNX would compute its layers in float."
    return replace(served, notes=(note,))


def _serve_instead(loaded: OwnRuntime, source: Path, out: Path, refusal: CompileFailed | ParityFailed) -> ServedModel:
    """Serve by the format's own runtime after ONNX was refused; the notes say why."""
    (out / Runtime.ONNX.file_name).unlink(missing_ok=True)
    try:
        served = _serve_by_own_runtime(loaded, source, out)
    except (CompileFailed, ParityFailed) as error:
        remedy = " ".join([error.remedy, *loaded.notes])
        raise type(error)(f"{error.detail} As ONNX: {refusal.detail}", remedy=remedy) from error
    return replace(served, notes=(f"ONNX does not carry this file, so {loaded.framework} serves it: {refusal.detail}",))


def convert(
    request: ConvertRequest, found: DetectedFormat, source: Path, isolation: tuple[str, ...], on_step: OnStep
) -> ConvertResult:
    """Convert `source`, whose format was `found`, into `request.out` and return what the child found out.

    `isolation` names the limits that hold; `on_step` is called with convert and parity. Raises ModelUnsafe,
    FormatUnknown, CompileFailed, ParityFailed and CompilerMissing.
    """
    loaded = open_source.open_source(source, found.kind, found.keras_version, request.limits.memory_bytes)
    check_inputs(loaded.inputs)
    served = serve(loaded, source, request.out, on_step)
    check_outputs(served.outputs)
    agreement = served.agreement
    arrays = {f"in.{name}": values for name, values in agreement.inputs.items()}
    arrays |= {f"out.{name}": values for name, values in agreement.outputs.items()}
    np.savez(request.out / PROBES_FILE, allow_pickle=False, **arrays)
    return ConvertResult(
        format=found.kind,
        runtime=served.runtime,
        framework=loaded.framework,
        written_by=loaded.written_by,
        inputs=loaded.inputs,
        outputs=served.outputs,
        hints=loaded.hints,
        activations=served.activations,
        parity=agreement.probes,
        peak_memory_bytes=measure_peak_memory(),
        isolation=isolation,
        notes=(*([found.note] if found.note else []), *loaded.notes, *served.notes),
        versions=list_versions() if found.kind is not ModelFormat.ONNX else _drop_frameworks(list_versions()),
    )


def _drop_frameworks(found: dict[str, str]) -> dict[str, str]:
    return {name: version for name, version in found.items() if name in ("numpy", "onnx", "onnxruntime")}
