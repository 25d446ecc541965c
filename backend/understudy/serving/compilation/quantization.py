"""Makes an int8 variant of a registered model."""

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
from understudy.compiler.compile_lock import make_compile_lock, make_slow_lock
from understudy.compiler.compiled_store import (
    MODEL_FILE,
    PROBES_FILE,
    CompiledModel,
    CompiledStore,
)
from understudy.compiler.isolation.child_protocol import QuantizeRequest, QuantizeResult
from understudy.compiler.isolation.sandbox import Sandbox
from understudy.compiler.model_source import compute_digest
from understudy.errors import FIND_SPEC, CompileFailed, NotForAudio
from understudy.files.disk_errors import translate_disk_errors
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.int8 import calibration, variant_agreement
from understudy.inference.int8.variant_agreement import LabeledClip
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.models import file_records
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.history import model_history
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import (
    Calibration,
    Gate,
    Precision,
    PrecisionAgreement,
    Quantization,
)
from understudy.schemas.compiler.report import CompileReport, ParityProbe
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import InputKind
from understudy.serving.compilation.compilation import Compilation, build_gate_refusal
from understudy.settings import Settings

QUANTIZER_VERSION = 2  # raise it whenever the same graph and clips would give another variant

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class _VariantPlan:
    """One int8 variant to make. It is calibrated on `clips` and measured on `judging`."""

    model: RegisteredFile
    compiled: CompiledModel
    source: str
    clips: list[LabeledClip]
    judging: list[LabeledClip]
    clips_digest: str
    gate: Gate
    backbone: YamnetBackbone | None

    @property
    def report(self) -> CompileReport:
        return self.compiled.report

    @property
    def key(self) -> str:
        """A digest over the compiled model, the backbone, the clips, the gate and the quantizer's version."""
        backbone = self.backbone and self.backbone.digest
        return _build_key(self.compiled.key, backbone, self.clips_digest, self.gate.model_dump())


@dataclass(frozen=True)
class _Quantized:
    """The result of the sandbox in the folder `out`, made from the float32 `graph`; `started` is a monotonic time."""

    result: QuantizeResult
    calibration: Calibration
    graph: Path
    out: Path
    started: float


def _build_key(*parts: object) -> str:
    versions = [QUANTIZER_VERSION, version("onnxruntime")]
    text = json.dumps([*parts, versions], sort_keys=True, separators=(",", ":"))
    return f"{Precision.INT8}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _build_probe(gate: Gate) -> ParityProbe:
    """Return the tolerance of the warm-up, which compares int8 with its own recorded answer.

    CPUs round int8 sums differently, so the answer may move as far as the gate allows.
    """
    return ParityProbe(input_shapes=(), max_abs_error=0.0, tolerance=gate.max_change)


class ModelQuantizer:
    """Makes an int8 variant in the compiler's sandbox, measures it against float32 and records it beside the row."""

    def __init__(self, settings: Settings, database: Database, registry: Registry, compilation: Compilation) -> None:
        self._settings = settings
        self._database = database
        self._registry = registry
        self._compilation = compilation
        self._store = CompiledStore(self._settings.compiled_dir)
        self._limits = AudioLimits(max_seconds=self._settings.max_audio_seconds)

    async def quantize(self, model_id: int, clips: Path, gate: Gate, actor: str, on_step: OnStep) -> CompiledModel:
        """Return the int8 variant that passed `gate`; it is made only where the same clips did not give one before.

        Raises what compiling raises, NotForAudio for a tensor model, TrainingDataInvalid for a folder without
        recordings, the audio errors for a clip that cannot be decoded, CompileFailed where the graph has nothing to
        quantize, and ParityFailed, after storing its report, for a variant that did not pass.
        """
        model = (await self._registry.read_spec_now(model_id)).model
        on_step("compile")
        plan = await self._plan(model, clips, gate)
        variant = await asyncio.to_thread(self._store.find, plan.key)
        if variant is None:
            with translate_disk_errors(self._settings.var_dir):
                async with make_slow_lock(self._settings.var_dir):
                    variant = await self._make_variant(plan, on_step)
        await self._record(model, variant, actor)
        quantization = variant.report.quantization
        if quantization is not None and not quantization.passed:
            raise build_gate_refusal(model.model_name, quantization)
        return variant

    async def _plan(self, model: RegisteredFile, clips: Path, gate: Gate) -> _VariantPlan:
        compiled = await self._compilation.compile(model)
        if compiled.report.spec.input is InputKind.TENSOR:
            raise NotForAudio(
                "An int8 variant is calibrated on recordings, and the model takes tensors.",
                remedy="Give the model a spec that says how a recording becomes its input, or search one by the "
                f"answers of the author's own script: `{FIND_SPEC}`.",
            )
        if compiled.report.runtime is not Runtime.ONNX:
            raise CompileFailed(
                "An int8 variant is made of an ONNX graph, and LiteRT serves this model.",
                remedy="Serve it as it is, or register the model that it was converted from.",
            )
        if (installed := compiled.report.spec.backbone) is not None:
            raise CompileFailed(
                f"An int8 variant of a model on a backbone quantizes YAMNet, and this one is on {installed.name!r}.",
                remedy="Serve it as it is.",
            )
        found = await asyncio.to_thread(calibration.find_clips, clips)
        calibrating, judging = calibration.split(found)
        on_backbone = compiled.report.spec.input.on_backbone
        return _VariantPlan(
            model=model,
            compiled=compiled,
            source=str(clips),
            clips=calibrating,
            judging=judging,
            clips_digest=await asyncio.to_thread(calibration.compute_digest, found),
            gate=gate,
            backbone=await asyncio.to_thread(YamnetBackbone.load, self._settings.backbone_path)
            if on_backbone
            else None,
        )

    async def _make_variant(self, plan: _VariantPlan, on_step: OnStep) -> CompiledModel:
        started = time.monotonic()
        on_step("decode")
        windows, seconds = await asyncio.to_thread(
            calibration.collect_windows, plan.report, plan.clips, self._limits, self._settings.max_whole_clip_seconds
        )
        sandbox = Sandbox(self._settings)
        with sandbox.open_scratch() as scratch:
            feeds = {f"{index:04}": feed for index, feed in enumerate(calibration.build_feeds(plan.report, windows))}
            np.savez(scratch / "feeds.npz", allow_pickle=False, **feeds)
            on_backbone = plan.backbone is not None
            graph = self._settings.backbone_path if on_backbone else plan.compiled.folder / MODEL_FILE
            shutil.copyfile(graph, scratch / "source.onnx")
            request = QuantizeRequest(
                source=scratch / "source.onnx",
                feeds=scratch / "feeds.npz",
                output="embeddings" if on_backbone else plan.report.outputs[0].name,
                out=scratch / "out",
                limits=sandbox.build_limits(scratch),
                parent=os.getpid(),
            )
            result = QuantizeResult.model_validate_json(await sandbox.run(request, on_step))
            calibrated = Calibration(
                source=plan.source,
                clips=len(plan.clips),
                windows=len(windows),
                seconds=seconds,
                digest=plan.clips_digest,
            )
            on_step("measure")
            quantized = _Quantized(result, calibrated, graph, request.out, started)
            report = await asyncio.to_thread(self._measure, plan, quantized)
            # Only the holder of this lock changes the compiled store. Others compile while the variant is made.
            async with make_compile_lock(self._settings.var_dir):
                return await asyncio.to_thread(self._store.add, quantized.out, report)

    def _measure(self, plan: _VariantPlan, quantized: _Quantized) -> CompileReport:
        result, out = quantized.result, quantized.out
        int8_bytes = (out / MODEL_FILE).stat().st_size
        backbone, backbone_name, probes = self._place_backbone(plan, out)
        report = plan.report.model_copy(
            update={
                "key": plan.key,
                "parity": probes,
                "onnx_digest": compute_digest(out / MODEL_FILE),
                "onnx_bytes": (out / MODEL_FILE).stat().st_size,
                "probes_digest": compute_digest(out / PROBES_FILE),
                "peak_memory_bytes": result.peak_memory_bytes,
                "isolation": (*result.isolation, "environment", "wall_clock"),
                "versions": plan.report.versions | result.versions,
            }
        )
        agreement = self._compare(plan, report, backbone, out)
        reason = variant_agreement.explain_shortfall(agreement, plan.gate)
        quantization = Quantization(
            precision=Precision.INT8,
            of=plan.compiled.key,
            passed=reason is None,
            reason=reason,
            gate=plan.gate,
            calibration=quantized.calibration,
            agreement=agreement,
            layers=result.layers,
            equalised=result.equalized_pairs,
            kept_in_float=result.kept,
            noise=result.noise,
            backbone=backbone_name,
            backbone_digest=plan.backbone and plan.backbone.digest,
            float_bytes=quantized.graph.stat().st_size,
            int8_bytes=int8_bytes,
            seconds=time.monotonic() - quantized.started,
        )
        return report.model_copy(update={"quantization": quantization})

    def _place_backbone(
        self, plan: _VariantPlan, out: Path
    ) -> tuple[YamnetBackbone | None, str | None, tuple[ParityProbe, ...]]:
        """Move an int8 backbone from `out` to var/backbones, and put the head, which stays float32, in its place.

        Returns the backbone that the variant runs on, its name, and the probes that its warm-up replays. The name has
        the digest of the file: two machines may make different ones of the same clips, and a head runs on the one that
        it was measured with.
        """
        if plan.backbone is None:
            return None, None, (_build_probe(plan.gate),)
        name = f"{Precision.INT8}-{compute_digest(out / MODEL_FILE)}"
        target = self._settings.quantized_backbone_path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        (out / MODEL_FILE).replace(target)
        for name in (MODEL_FILE, PROBES_FILE):
            shutil.copyfile(plan.compiled.folder / name, out / name)
        return YamnetBackbone.load(target), name, plan.report.parity

    def _compare(
        self, plan: _VariantPlan, report: CompileReport, backbone: YamnetBackbone | None, out: Path
    ) -> PrecisionAgreement:
        """Run float32 and int8 over the judging clips and return how far their answers agree."""
        seconds = self._settings.max_whole_clip_seconds
        with tempfile.TemporaryDirectory(dir=out) as folder:
            for name in (MODEL_FILE, PROBES_FILE):
                shutil.copyfile(out / name, Path(folder) / name)
            (Path(folder) / "report.json").write_text(report.model_dump_json(), encoding="utf-8")
            before = Pipeline.load(plan.compiled.folder, backbone=plan.backbone, max_whole_clip_seconds=seconds)
            after = Pipeline.load(Path(folder), backbone=backbone, max_whole_clip_seconds=seconds)
            return variant_agreement.compare(
                before, after, plan.judging, self._limits, disjoint=plan.judging != plan.clips
            )

    async def _record(self, model: RegisteredFile, variant: CompiledModel, actor: str) -> None:
        """Store the variant's key beside the row, and its outcome in the history, unless they are there already."""
        quantization = variant.report.quantization
        if quantization is None or model.int8_variant == variant.key:
            return
        async with self._database.write() as session:
            await file_records.set_int8_variant(session, model.model_id, model.facts.digest, variant.key)
            if quantization.passed:
                agreement = quantization.agreement
                detail = (
                    f"int8 variant: {agreement.clip_agreement:.2%} of {agreement.clips} clips and "
                    f"{agreement.window_agreement:.2%} of {agreement.windows} windows keep their label, "
                    f"{agreement.throughput_ratio:.1f} times as fast."
                )
                await model_history.record(
                    session,
                    HistoryEvent.COMPILED,
                    model.model_id,
                    actor=actor,
                    detail=detail,
                    before={"int8_variant": model.int8_variant},
                    after={"int8_variant": variant.key},
                )
            else:
                refusal = build_gate_refusal(model.model_name, quantization)
                await model_history.record_refusal(session, model.model_id, refusal, actor=actor)
