"""Compiled forms of registered models, and what became of the last attempt."""

import asyncio

import structlog

from understudy.compiler.compiled_store import CompiledModel
from understudy.compiler.compiler import Compiler
from understudy.errors import ParityFailed, ReportNotFound, UnderstudyError
from understudy.models import CompileState
from understudy.registry.files.file_records import RegisteredFile
from understudy.registry.models.registry import Registry
from understudy.schemas.compiler.quantization import Precision, Quantization
from understudy.schemas.compiler.report import CompileReport
from understudy.serving.telemetry.counters import Counters

log = structlog.get_logger()


class Compilation:
    """Compile a registered model, or find that it already is; the outcome is written beside its row."""

    def __init__(self, registry: Registry, compiler: Compiler, counters: Counters, actor: str) -> None:
        self._registry = registry
        self._compiler = compiler
        self._counters = counters
        self._actor = actor

    def key(self, model: RegisteredFile) -> str:
        """The name of its compiled form, which covers the file's content and its spec."""
        return self._compiler.store.key(model.facts.digest, model.spec)

    async def find(self, model: RegisteredFile) -> CompiledModel | None:
        """The compiled form, if there is a complete one."""
        return await asyncio.to_thread(self._compiler.store.find, self.key(model))

    async def compile(self, model: RegisteredFile) -> CompiledModel:
        """The compiled form, made anew where it is damaged: it is a cache.

        Raises the compiler's refusals, after recording them.
        """
        was_ready = model.compile_state is CompileState.READY
        compiled = await self.find(model)
        if compiled is None:
            if was_ready:
                log.warning("compiled form gone or damaged", model_id=model.model_id, model_name=model.model_name)
            compiled = await self._fresh(model)
        elif was_ready:
            return compiled
        await self._note(model, CompileState.READY)
        return compiled

    async def _fresh(self, model: RegisteredFile) -> CompiledModel:
        await self._note(model, CompileState.COMPILING)
        source = self._registry.files.resolve(model.facts.path)
        steps: list[str] = []
        try:
            compiled = await self._compiler.compile(source, model.facts.digest, model.spec, steps.append)
        except UnderstudyError as error:
            await self._note(model, CompileState.REFUSED, error.problem())
            log.warning(
                "model refused",
                model_id=model.model_id,
                model_name=model.model_name,
                code=error.code,
                detail=error.detail,
                remedy=error.remedy,
            )
            raise
        except BaseException:
            # Cancelled or broken off: the next attempt starts afresh instead of waiting for this one.
            await asyncio.shield(self._note(model, CompileState.NOT_COMPILED))
            raise
        if "store" in steps:  # else another process, or the backlog, was faster
            self._counters.compilations.observe(compiled.report.seconds)
            log.info(
                "model compiled",
                model_id=model.model_id,
                model_name=model.model_name,
                seconds=round(compiled.report.seconds, 2),
                max_abs_error=compiled.report.max_abs_error,
            )
        return compiled

    async def _note(self, model: RegisteredFile, state: CompileState, problem: dict[str, object] | None = None) -> None:
        await self._registry.set_compile_state(model.model_id, model.facts.digest, state, problem, actor=self._actor)

    async def twin(self, model: RegisteredFile, form: str) -> CompiledModel:
        """An int8 twin that may go live: the one whose key `form` is, or the latest where `form` is "int8".

        Raises ReportNotFound where there is none on this machine, and ParityFailed for one that did not pass.
        """
        key = model.twin if form == Precision.INT8 else form
        found = await asyncio.to_thread(self._compiler.store.find, key) if key else None
        quantization = found.report.quantization if found else None
        if found is None or quantization is None or quantization.of != self.key(model):
            raise ReportNotFound(
                f"{model.model_name} has no int8 twin on this machine.",
                remedy=f"Make it: `understudy compile {model.model_id} --precision int8 --clips FOLDER`, or share the "
                "compiled store and var/backbones of the machine that has it.",
            )
        if not quantization.passed:
            raise quantization_refusal(model.model_name, quantization)
        return found

    async def report(self, model_id: int) -> CompileReport:
        """The compile report, with what became of the latest int8 twin. Raises ModelNotFound and ReportNotFound."""
        model = await self._registry.ensure_file_record(model_id)
        compiled = await self.find(model)
        if compiled is None:
            raise ReportNotFound(f"{model.model_name} has no compiled form.")
        twin = await asyncio.to_thread(self._compiler.store.find, model.twin) if model.twin else None
        if twin is None or twin.report.quantization is None or twin.report.quantization.of != compiled.key:
            return compiled.report
        return compiled.report.model_copy(update={"quantization": twin.report.quantization})


def quantization_refusal(model_name: str, quantization: Quantization) -> ParityFailed:
    """Why a twin that did not reach its gate may not go live."""
    return ParityFailed(
        f"The int8 twin of {model_name} does not answer as float32 does: {quantization.reason}",
        remedy="Keep float32, calibrate on more clips like those it will hear, or lower --min-agreement knowingly.",
    )
