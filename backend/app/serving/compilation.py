"""Compiled forms of registered models, and what became of the last attempt."""

import asyncio

import structlog

from app.compiler.compile import Compiler
from app.compiler.store import CompiledModel
from app.errors import ReportNotFound, UnderstudyError
from app.models import CompileState
from app.registry.file_records import RegisteredFile
from app.registry.registry import Registry
from app.schemas.report import CompileReport
from app.serving.metrics import Metrics

log = structlog.get_logger()


class Compilation:
    """Compile a registered model, or find that it already is; the outcome is written beside its row."""

    def __init__(self, registry: Registry, compiler: Compiler, metrics: Metrics, actor: str) -> None:
        self._registry = registry
        self._compiler = compiler
        self._metrics = metrics
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
            self._metrics.compilations.observe(compiled.report.seconds)
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

    async def report(self, model_id: int) -> CompileReport:
        """The compile report. Raises ModelNotFound and ReportNotFound."""
        model = await self._registry.ensure_file_record(model_id)
        compiled = await self.find(model)
        if compiled is None:
            raise ReportNotFound(f"{model.model_name} has no compiled form.")
        return compiled.report
