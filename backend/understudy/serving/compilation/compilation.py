"""Compiles registered models and records the outcome beside their rows."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from understudy.compiler.compiled_store import CompiledModel
from understudy.compiler.compiler import Compiler
from understudy.errors import CompilationEnded, ParityFailed, ReportNotFound, UnderstudyError
from understudy.models import CompileState
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import Precision, Quantization
from understudy.schemas.compiler.report import CompileReport
from understudy.serving.compilation.file_sharing import FileSharing
from understudy.serving.telemetry.counters import Counters

log = structlog.get_logger()


class Compilation:
    """Compiles a registered model, or finds its compiled model in the store."""

    def __init__(
        self, registry: Registry, compiler: Compiler, sharing: FileSharing, counters: Counters, actor: str
    ) -> None:
        self._registry = registry
        self._sharing = sharing
        self._compiler = compiler
        self._counters = counters
        self._actor = actor

    def key(self, model: RegisteredFile) -> str:
        """Return the key of its compiled model, a digest over the file's content and its spec."""
        return self._compiler.store.compute_key(model.facts.digest, model.spec)

    async def find(self, model: RegisteredFile) -> CompiledModel | None:
        """Return the compiled model, from this machine or the shared store; None where there is none or a damaged one.

        Raises StoreUnavailable where this machine lacks it and the store does not answer.
        """
        return await self._sharing.find_compiled(self.key(model))

    async def forget_refusal(self, model: RegisteredFile) -> None:
        """Have a model that was refused compiled again when it is needed."""
        await self._compiler.forget_refusal(model.facts.digest, model.spec)

    async def compile(
        self, model: RegisteredFile, *, retry: bool = False, on_step: Callable[[str], None] = lambda _: None
    ) -> CompiledModel:
        """Return the compiled model, compiling it where it is missing or damaged.

        A model that was refused before is refused at once, unless `retry` is true. `on_step` is that of
        `Compiler.compile`. Raises the compiler's errors, after recording them beside the row.
        """
        if retry:
            await self.forget_refusal(model)
        was_ready = model.compile_state is CompileState.READY
        compiled = await self.find(model)
        if compiled is None:
            if was_ready:
                log.warning("compiled model missing or damaged", model_id=model.model_id, model_name=model.model_name)
            compiled = await self._compile_now(model, on_step)
        elif was_ready:
            return compiled
        await self._note(model, CompileState.READY)
        return compiled

    async def _compile_now(self, model: RegisteredFile, on_step: Callable[[str], None]) -> CompiledModel:
        if (refusal := await self._compiler.find_refusal(model.facts.digest, model.spec)) is not None:
            if model.compile_state is not CompileState.REFUSED and not isinstance(refusal, CompilationEnded):
                await self._note_safely(model, CompileState.REFUSED, refusal.problem(), unless=None)
            raise refusal
        source = await self._locate_source(model)
        if model.spec is not None and model.spec.backbone is not None and model.spec.backbone.digest is not None:
            await self._sharing.fetch_backbone(model.spec.backbone.digest)
        await self._note(model, CompileState.COMPILING)
        steps: list[str] = []

        def report_step(step: str) -> None:
            steps.append(step)
            on_step(step)

        try:
            compiled = await self._compiler.compile(source, model.facts.digest, model.spec, report_step)
        except UnderstudyError as error:
            ended = isinstance(error, CompilationEnded)
            state = CompileState.NOT_COMPILED if ended else CompileState.REFUSED
            await self._note_safely(model, state, error.problem())
            log.warning(
                "compilation ended" if ended else "model refused",
                model_id=model.model_id,
                model_name=model.model_name,
                code=error.code,
                detail=error.detail,
                remedy=error.remedy,
            )
            raise
        except BaseException:
            # Otherwise the next attempt would wait for this one, which was cancelled or failed.
            await asyncio.shield(self._note_safely(model, CompileState.NOT_COMPILED))
            raise
        if "store" in steps:  # otherwise another process or the compile queue was faster
            self._counters.compilations.observe(compiled.report.seconds)
            log.info(
                "model compiled",
                model_id=model.model_id,
                model_name=model.model_name,
                seconds=round(compiled.report.seconds, 2),
                max_abs_error=compiled.report.max_abs_error,
            )
        return compiled

    async def _locate_source(self, model: RegisteredFile) -> Path:
        """Return where the file is, which is fetched from the shared store where this machine lacks it."""
        place = self._registry.files.resolve(model.facts.path)
        if place.exists() or not self._sharing.is_enabled:
            return place
        return await self._sharing.fetch_source(model) or place

    async def _note(self, model: RegisteredFile, state: CompileState, problem: dict[str, object] | None = None) -> None:
        await self._registry.set_compile_state(model, state, problem, actor=self._actor)

    async def _note_safely(
        self,
        model: RegisteredFile,
        state: CompileState,
        problem: dict[str, object] | None = None,
        *,
        unless: CompileState | None = CompileState.READY,
    ) -> None:
        """Record the end of an attempt that failed. Where the database fails too, the attempt's own error counts.

        Another attempt may have succeeded meanwhile: its state stays.
        """
        try:
            await self._registry.set_compile_state(model, state, problem, actor=self._actor, unless=unless)
        except UnderstudyError as failure:
            log.warning("compile state not recorded", model_id=model.model_id, state=state, reason=failure.detail)
        except Exception:
            log.exception("compile state not recorded", model_id=model.model_id, state=state)

    async def find_variant(self, model: RegisteredFile, variant: str) -> CompiledModel:
        """Return the int8 variant with the key `variant`; the latest one for "int8".

        Raises ReportNotFound where this machine has none, and ParityFailed for one that did not reach its gate.
        """
        key = model.int8_variant if variant == Precision.INT8 else variant
        found = await self._sharing.find_compiled(key) if key else None
        quantization = found.report.quantization if found else None
        if found is None or quantization is None or quantization.of != self.key(model):
            raise ReportNotFound(
                f"{model.model_name} has no int8 variant on this machine.",
                remedy=f"Make one: `understudy compile {model.model_id} --precision int8 --clips FOLDER`. Or share the "
                "compiled store and var/backbones of the machine that has it.",
            )
        if not quantization.passed:
            raise build_gate_refusal(model.model_name, quantization)
        return found

    async def report(self, model_id: int) -> CompileReport:
        """Return the compile report, with the outcome of the latest int8 variant.

        Raises ModelNotFound, and ReportNotFound for a model that is not compiled.
        """
        model = await self._registry.read_file_record(model_id)
        compiled = await self.find(model)
        if compiled is None:
            raise ReportNotFound(f"{model.model_name} is not compiled.")
        variant = await self._sharing.find_compiled(model.int8_variant) if model.int8_variant else None
        if variant is None or variant.report.quantization is None or variant.report.quantization.of != compiled.key:
            return compiled.report
        return compiled.report.model_copy(update={"quantization": variant.report.quantization})


def build_gate_refusal(model_name: str, quantization: Quantization) -> ParityFailed:
    """Return the error that says why an int8 variant that did not reach its gate may not go live."""
    return ParityFailed(
        f"The int8 variant of {model_name} does not answer as float32 does: {quantization.reason}",
        remedy="Keep float32, or calibrate on more clips like those that the model will get. Lower --min-agreement "
        "only if you accept more answers that differ.",
    )
