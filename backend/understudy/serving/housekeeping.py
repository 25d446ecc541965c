"""Takes up what the crash of an earlier process interrupted, and removes what it left, when a server starts."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import structlog

from understudy.compiler.compile_lanes import CompileLanes
from understudy.compiler.compiled_store import CompiledStore
from understudy.compiler.isolation.sandbox import remove_left_over_scratch
from understudy.errors import UnderstudyError
from understudy.registry.database.database import Database
from understudy.registry.files.example_clips import ExampleClips
from understudy.registry.files.uploads import remove_left_over_uploads
from understudy.registry.models import file_records
from understudy.registry.registry import Registry
from understudy.serving.compilation.compile_queue import CompileQueue
from understudy.settings import Settings

log = structlog.get_logger()


class Housekeeping:
    """Touches nothing that another live process works on: each kind of work has a lock that ends with its process."""

    def __init__(
        self, settings: Settings, database: Database, registry: Registry, queue: CompileQueue, clips: ExampleClips
    ) -> None:
        self._settings = settings
        self._database = database
        self._registry = registry
        self._queue = queue
        self._clips = clips
        self._store = CompiledStore(settings.compiled_dir)

    async def run(self) -> None:
        """Compile what is not ready, then remove what was left over. Raises DatabaseUnavailable."""
        await self.queue_uncompiled()
        sweeps: tuple[Callable[[], Awaitable[None]], ...] = (
            self._sweep_uploads,
            self._sweep_examples,
            self._sweep_compiled,
        )
        for sweep in sweeps:
            try:
                await sweep()
            except (OSError, UnderstudyError) as error:
                log.warning("left-over files not removed", reason=str(error), remedy="Run `understudy doctor --fix`.")

    async def queue_uncompiled(self) -> None:
        """Queue the models whose compilation was interrupted or has not begun, the newest first.

        A model whose file is not here, or has changed, is left alone: compiling it would only refuse it.
        """
        async with self._database.read() as session:
            files = await file_records.list_uncompiled(session)
        states = await asyncio.to_thread(self._registry.files.compare_all, [(f.facts.path, f.facts) for f in files])
        found = [f for f, state in zip(files, states, strict=True) if state.exists and not state.changed]
        for file in found:
            self._queue.add_left_over(file.model_id)
        if found:
            log.info("models queued that are not compiled", models=len(found))

    async def _sweep_uploads(self) -> None:
        await asyncio.to_thread(remove_left_over_uploads, self._settings.models_dir)
        await asyncio.to_thread(remove_left_over_scratch, self._settings.var_dir)

    async def _sweep_examples(self) -> None:
        async with self._clips.lock_if_present():
            await asyncio.to_thread(self._clips.remove_left_over)

    async def _sweep_compiled(self) -> None:
        """Remove entries that were never completed, and kept backbones that nothing needs."""
        async with CompileLanes(self._settings.var_dir) as lanes:
            await asyncio.to_thread(self._store.remove_left_over)
            if sys.platform == "linux":
                # A variant that is being made stores its backbone before its entry.
                complete = await lanes.hold_slow_lane_too()
                await asyncio.to_thread(self._remove_unused_backbones, complete)

    def _remove_unused_backbones(self, complete: bool) -> None:
        from understudy.engine.workers.backbone_store import remove_unused_backbones

        folder = self._settings.backbones_dir
        if not complete:
            needed = {path.name for path in folder.glob("int8-*")}
        else:
            reports = (self._store.read_report(key) for key in self._store.list_keys())
            made = (report.quantization for report in reports if report is not None)
            needed = {f"{each.backbone}.onnx" for each in made if each is not None and each.backbone is not None}
        for name in remove_unused_backbones(folder, needed):
            log.info("unused copy of a backbone removed", name=name)
