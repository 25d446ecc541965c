"""The use-case that gives a registered model an int8 twin."""

import asyncio
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from understudy.audio.opening import AudioLimits
from understudy.compiler.compile_lock import make_compile_lock
from understudy.compiler.compiled_store import (
    MODEL_FILE,
    PROBES_FILE,
    CompiledModel,
    CompiledStore,
)
from understudy.compiler.isolation.child_protocol import QuantizeRequest, QuantizeResult
from understudy.compiler.isolation.sandbox import Sandbox
from understudy.compiler.model_source import compute_digest
from understudy.disk_errors import translate_disk_errors
from understudy.errors import NotForAudio
from understudy.inference.int8 import calibration, variant_agreement
from understudy.inference.int8.variant_agreement import LabeledClip
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.pipeline.yamnet_backbone import Backbone
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.models import file_records, model_history
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import (
    Calibration,
    Gate,
    Precision,
    Quantization,
)
from understudy.schemas.compiler.report import CompileReport, ParityProbe
from understudy.schemas.compiler.spec import InputKind
from understudy.serving.compilation.compilation import Compilation, build_gate_refusal
from understudy.settings import Settings

QUANTIZER_VERSION = 1  # raise it whenever the same graph and clips would give another twin

Say = Callable[[str], None]


@dataclass(frozen=True)
class _VariantPlan:
    """One twin to be made. `clips` are those that calibrate, `judging` those that measure."""

    model: RegisteredFile
    compiled: CompiledModel
    source: str
    clips: list[LabeledClip]
    judging: list[LabeledClip]
    clips_digest: str
    gate: Gate
    backbone: Backbone | None

    @property
    def report(self) -> CompileReport:
        return self.compiled.report

    @property
    def key(self) -> str:
        """Covers the float32 form, the clips, the gate and what quantises."""
        backbone = self.backbone and self.backbone.digest
        return _key(self.compiled.key, backbone, self.clips_digest, self.gate.model_dump())

    @property
    def backbone_name(self) -> str | None:
        """Covers the backbone, the clips and what quantises: heads calibrated on the same clips share it."""
        return None if self.backbone is None else _key(self.backbone.digest, self.clips_digest)


def _key(*parts: object) -> str:
    versions = [QUANTIZER_VERSION, version("onnxruntime")]
    text = json.dumps([*parts, versions], sort_keys=True, separators=(",", ":"))
    return f"{Precision.INT8}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _probe(gate: Gate) -> ParityProbe:
    """Warming up repeats int8's own answer; CPUs that round its sums differently may move it as far as the gate."""
    return ParityProbe(input_shapes=(), max_abs_error=0.0, tolerance=gate.max_change)


class ModelQuantizer:
    """Makes a twin in the compiler's sandbox, measures it against float32 and notes it beside the row."""

    def __init__(self, settings: Settings, database: Database, registry: Registry, compilation: Compilation) -> None:
        self._settings = settings
        self._database = database
        self._registry = registry
        self._compilation = compilation
        self._store = CompiledStore(self._settings.compiled_dir)
        self._limits = AudioLimits(max_seconds=self._settings.max_audio_seconds)

    async def quantize(self, model_id: int, clips: Path, gate: Gate, actor: str, say: Say) -> CompiledModel:
        """The twin that passed `gate`, made now unless the same clips gave one before.

        Raises what compiling raises, NotForAudio for a tensor model, TrainingDataInvalid for a folder without
        recordings, the audio errors for a clip that cannot be heard, CompileFailed where the graph has nothing to
        quantize, and ParityFailed, after keeping its report, for a twin that did not pass.
        """
        model = await self._registry.ensure_file_record(model_id)
        say("compile")
        compiled = await self._compilation.compile(model)
        if compiled.report.spec.input is InputKind.TENSOR:
            raise NotForAudio(
                "An int8 variant is calibrated on recordings, and the model takes tensors.",
                remedy="Give the model a spec whose `input` says how audio becomes its input.",
            )
        found = await asyncio.to_thread(calibration.find_clips, clips)
        calibrating, judging = calibration.split(found)
        on_backbone = compiled.report.spec.input.on_backbone
        order = _VariantPlan(
            model=model,
            compiled=compiled,
            source=str(clips),
            clips=calibrating,
            judging=judging,
            clips_digest=await asyncio.to_thread(calibration.compute_digest, found),
            gate=gate,
            backbone=await asyncio.to_thread(Backbone.load, self._settings.backbone_path) if on_backbone else None,
        )
        twin = await asyncio.to_thread(self._store.find, order.key)
        if twin is None:
            with translate_disk_errors(self._settings.var_dir):
                async with make_compile_lock(self._settings.var_dir):
                    twin = await self._made(order, say)
        await self._note(model, twin, actor)
        quantization = twin.report.quantization
        if quantization is not None and not quantization.passed:
            raise build_gate_refusal(model.model_name, quantization)
        return twin

    async def _made(self, order: _VariantPlan, say: Say) -> CompiledModel:
        started = time.monotonic()
        say("hear")
        windows, seconds = await asyncio.to_thread(
            calibration.collect_windows, order.report, order.clips, self._limits, self._settings.max_whole_clip_seconds
        )
        sandbox = Sandbox(self._settings)
        with sandbox.open_scratch() as scratch:
            feeds = {f"{index:04}": feed for index, feed in enumerate(calibration.build_feeds(order.report, windows))}
            np.savez(scratch / "feeds.npz", allow_pickle=False, **feeds)
            on_backbone = order.backbone_name is not None
            graph = self._settings.backbone_path if on_backbone else order.compiled.folder / MODEL_FILE
            shutil.copyfile(graph, scratch / "source.onnx")
            job = QuantizeRequest(
                source=scratch / "source.onnx",
                feeds=scratch / "feeds.npz",
                output="embeddings" if on_backbone else order.report.outputs[0].name,
                out=scratch / "out",
                limits=sandbox.build_limits(scratch),
                parent=os.getpid(),
            )
            outcome = QuantizeResult.model_validate_json(await sandbox.run(job, say))
            heard = Calibration(
                source=order.source,
                clips=len(order.clips),
                windows=len(windows),
                seconds=seconds,
                digest=order.clips_digest,
            )
            say("measure")
            return await asyncio.to_thread(self._measured, order, outcome, heard, graph, job.out, started)

    def _measured(
        self, order: _VariantPlan, outcome: QuantizeResult, heard: Calibration, graph: Path, out: Path, started: float
    ) -> CompiledModel:
        int8_bytes = (out / MODEL_FILE).stat().st_size
        backbone = order.backbone
        probes: tuple[ParityProbe, ...] = (_probe(order.gate),)
        if order.backbone_name is not None:  # its head stays as it is
            target = self._settings.quantized_backbone_path(order.backbone_name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (out / MODEL_FILE).replace(target)
            backbone, probes = Backbone.load(target), order.report.parity
            for name in (MODEL_FILE, PROBES_FILE):
                shutil.copyfile(order.compiled.folder / name, out / name)
        twin = order.report.model_copy(
            update={
                "key": order.key,
                "parity": probes,
                "onnx_digest": compute_digest(out / MODEL_FILE),
                "onnx_bytes": (out / MODEL_FILE).stat().st_size,
                "probes_digest": compute_digest(out / PROBES_FILE),
                "peak_memory_bytes": outcome.peak_memory_bytes,
                "isolation": (*outcome.isolation, "environment", "wall_clock"),
                "versions": order.report.versions | outcome.versions,
            }
        )
        with tempfile.TemporaryDirectory(dir=out) as folder:
            for name in (MODEL_FILE, PROBES_FILE):
                shutil.copyfile(out / name, Path(folder) / name)
            (Path(folder) / "report.json").write_text(twin.model_dump_json(), encoding="utf-8")
            seconds = self._settings.max_whole_clip_seconds
            before = Pipeline.load(order.compiled.folder, backbone=order.backbone, max_whole_clip_seconds=seconds)
            after = Pipeline.load(Path(folder), backbone=backbone, max_whole_clip_seconds=seconds)
            agreed = variant_agreement.compare(
                before, after, order.judging, self._limits, disjoint=order.judging != order.clips
            )
        reason = variant_agreement.explain_shortfall(agreed, order.gate)
        quantization = Quantization(
            precision=Precision.INT8,
            of=order.compiled.key,
            passed=reason is None,
            reason=reason,
            gate=order.gate,
            calibration=heard,
            agreement=agreed,
            layers=outcome.layers,
            equalised=outcome.equalized_pairs,
            kept_in_float=outcome.kept,
            noise=outcome.noise,
            backbone=order.backbone_name,
            backbone_digest=order.backbone and order.backbone.digest,
            float_bytes=graph.stat().st_size,
            int8_bytes=int8_bytes,
            seconds=time.monotonic() - started,
        )
        return self._store.add(out, twin.model_copy(update={"quantization": quantization}))

    async def _note(self, model: RegisteredFile, twin: CompiledModel, actor: str) -> None:
        quantization = twin.report.quantization
        if quantization is None or model.int8_variant == twin.key:
            return
        async with self._database.write() as session:
            await file_records.set_int8_variant(session, model.model_id, model.facts.digest, twin.key)
            if quantization.passed:
                told = quantization.agreement
                detail = (
                    f"int8 twin: {told.clip_agreement:.2%} of {told.clips} clips and {told.window_agreement:.2%} of "
                    f"{told.windows} windows keep their label, {told.throughput_ratio:.1f} times as fast."
                )
                await model_history.record(session, HistoryEvent.COMPILED, model.model_id, actor=actor, detail=detail)
            else:
                refusal = build_gate_refusal(model.model_name, quantization)
                await model_history.record_refusal(session, model.model_id, refusal, actor=actor)
