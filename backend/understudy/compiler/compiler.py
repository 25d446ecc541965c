"""Compiles a registered source, in a child process that may do little else."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread

from understudy.backbones.store import BackboneStore
from understudy.compiler import model_source
from understudy.compiler.compile_lock import make_compile_lock
from understudy.compiler.compiled_store import (
    COMPILER_VERSION,
    PROBES_FILE,
    VERSION_NAME,
    CompiledModel,
    CompiledStore,
)
from understudy.compiler.formats.detect_format import DetectedFormat, detect_format
from understudy.compiler.isolation.child_protocol import ConvertRequest, ConvertResult
from understudy.compiler.isolation.sandbox import Sandbox
from understudy.compiler.spec_resolution import choose_score_output, list_spec_notes, resolve
from understudy.disk_errors import translate_disk_errors
from understudy.errors import FileChanged
from understudy.schemas.compiler.model_format import ModelFormat
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

_SUFFIX = {
    ModelFormat.KERAS: ".keras",
    ModelFormat.H5: ".h5",
    ModelFormat.TFLITE: ".tflite",
    ModelFormat.ONNX: ".onnx",
    ModelFormat.SAVED_MODEL: "",
}


class Compiler:
    """Compiles for one home. Several compilers, also in several processes, wait for each other."""

    def __init__(self, settings: Settings, store: CompiledStore | None = None) -> None:
        """Work below `settings.var_dir`; keep the compiled models in `store`, by default that of `settings`."""
        self._settings = settings
        self._sandbox = Sandbox(settings)
        self._backbones = BackboneStore(settings.named_backbones_dir)
        self.store = store or CompiledStore(settings.compiled_dir)

    async def compile(
        self, path: Path, digest: str, given: PartialSpec | None, on_step: Callable[[str], None] | None = None
    ) -> CompiledModel:
        """Return the compiled model of the source at `path`, from the store when it is there.

        `digest` is the source's digest as registered. `on_step` is called with the names of the steps: queue, copy,
        load, convert, parity, store.

        Raises FileMissing, FileChanged or TooLarge for the source; FormatUnknown or ModelUnsafe for its content;
        SpecInvalid when the spec does not fit the model; CompileFailed or ParityFailed when conversion fails;
        BackboneMissing and CompilerMissing when what they name is not installed; StorageUnavailable for the disk.
        """
        report_step = on_step or (lambda _: None)
        if given is not None:
            given = await anyio.to_thread.run_sync(self._backbones.pin, given)
        key = self.store.compute_key(digest, given)
        if found := await anyio.to_thread.run_sync(self.store.find, key):
            return found
        report_step("queue")
        with translate_disk_errors(self._settings.var_dir):
            async with make_compile_lock(self._settings.var_dir):
                if found := await anyio.to_thread.run_sync(self.store.find, key):
                    return found
                with self._sandbox.open_scratch() as scratch:
                    return await self._compile_in_child(path, digest, given, key, scratch, report_step)

    async def _compile_in_child(
        self,
        path: Path,
        digest: str,
        given: PartialSpec | None,
        key: str,
        scratch: Path,
        report_step: Callable[[str], None],
    ) -> CompiledModel:
        backbone = None
        if given is not None and given.backbone is not None:
            backbone = await anyio.to_thread.run_sync(self._backbones.require, given.backbone)
        report_step("copy")
        copied, found, size = await anyio.to_thread.run_sync(self._copy, path, digest, scratch)
        started = time.monotonic()
        outcome = await self._convert(copied, found, scratch, report_step)
        seconds = time.monotonic() - started
        given = given or PartialSpec()
        scores = choose_score_output(outcome.outputs, given.over(outcome.hints).labels)
        outputs = (outcome.outputs[scores], *outcome.outputs[:scores], *outcome.outputs[scores + 1 :])
        spec = resolve(given, outcome.hints, outcome.inputs, outputs, outcome.activations[scores], backbone)
        report_step("store")
        model = scratch / "out" / outcome.runtime.file_name
        report = CompileReport(
            key=key,
            source_digest=digest,
            source_bytes=size,
            format=found.kind.value,
            spec=spec,
            outputs=outputs,
            graph_activation=outcome.activations[scores],
            onnx_digest=await anyio.to_thread.run_sync(model_source.compute_digest, model),
            onnx_bytes=model.stat().st_size,
            probes_digest=await anyio.to_thread.run_sync(model_source.compute_digest, scratch / "out" / PROBES_FILE),
            seconds=seconds,
            isolation=(*outcome.isolation, "environment", "wall_clock"),
            notes=(*([found.note] if found.note else []), *outcome.notes, *list_spec_notes(spec)),
            versions=outcome.versions | {VERSION_NAME: str(COMPILER_VERSION)},
            compiled_at=datetime.now(UTC),
            **{name: getattr(outcome, name) for name in _SHARED},
        )
        return await anyio.to_thread.run_sync(self.store.add, scratch / "out", report)

    def _copy(self, path: Path, digest: str, scratch: Path) -> tuple[Path, DetectedFormat, int]:
        """Copy the source below `scratch` and return the copy, its format and its size in bytes.

        The copy's name ends as its content asks, because Keras chooses its reader by the name.
        """
        target = scratch / "source"
        if model_source.copy_source(path, target, self._settings.max_model_bytes) != digest:
            raise FileChanged(f"{path.name} is no longer the file that was registered.")
        found = detect_format(target, path.name)
        named = scratch / f"model{_SUFFIX[found.kind]}"
        target.rename(named)
        return named, found, model_source.measure_size(named)

    async def _convert(
        self, copied: Path, found: DetectedFormat, scratch: Path, report_step: Callable[[str], None]
    ) -> ConvertResult:
        request = ConvertRequest(
            source=copied,
            kind=found.kind,
            keras_version=found.keras_version,
            out=scratch / "out",
            limits=self._sandbox.build_limits(scratch),
            parent=os.getpid(),
        )
        return ConvertResult.model_validate_json(await self._sandbox.run(request, report_step))


_SHARED = ("runtime", "framework", "written_by", "inputs", "parity", "peak_memory_bytes")
