"""Compiles a registered source, in a child process that may do little else."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakValueDictionary

from anyio.to_thread import run_sync

from understudy.backbones.store import BackboneStore
from understudy.compiler import model_source
from understudy.compiler.compile_lanes import CompileLanes
from understudy.compiler.compiled_store import (
    COMPILER_VERSION,
    PROBES_FILE,
    VERSION_NAME,
    CompiledModel,
    CompiledStore,
)
from understudy.compiler.isolation.child_protocol import ConvertRequest, ConvertResult
from understudy.compiler.isolation.sandbox import QuickLaneFull, Sandbox
from understudy.compiler.refusal_store import REMEMBERED, RefusalStore
from understudy.compiler.spec_resolution import choose_score_output, list_spec_notes, resolve
from understudy.errors import FileChanged, UnderstudyError
from understudy.files.disk_errors import translate_disk_errors
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

SLOW = "slow"  # the step of a compilation that others may pass


@dataclass(frozen=True)
class _Source:
    """A registered source: its path, its digest as registered, and the spec that was given with its backbone."""

    path: Path
    digest: str
    given: PartialSpec | None
    key: str


class Compiler:
    """Compiles for one home. Several compilers, also in several processes, wait for each other.

    A compilation begins in the quick lane, which it leaves after a while, so that others pass it.
    """

    def __init__(
        self, settings: Settings, store: CompiledStore | None = None, refusals: RefusalStore | None = None
    ) -> None:
        """Work below `settings.var_dir`; `store` and `refusals` are those of `settings` unless given."""
        self._settings = settings
        self._sandbox = Sandbox(settings)
        self._backbones = BackboneStore(settings.named_backbones_dir)
        self._refusals = refusals or RefusalStore(settings)
        self._running: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.store = store or CompiledStore(settings.compiled_dir)

    async def find_refusal(self, digest: str, given: PartialSpec | None) -> UnderstudyError | None:
        """Return the remembered refusal of a source, or None."""
        return await run_sync(self._refusals.find, self.store.compute_key(digest, given))

    async def forget_refusal(self, digest: str, given: PartialSpec | None) -> None:
        """Have a refused source compiled again when it is needed."""
        await run_sync(self._refusals.forget, self.store.compute_key(digest, given))

    async def compile(
        self, path: Path, digest: str, given: PartialSpec | None, on_step: Callable[[str], None] | None = None
    ) -> CompiledModel:
        """Return the compiled model of the source at `path`, from the store when it is there.

        `digest` is the source's digest as registered. `on_step` is called with the names of the steps: queue, copy,
        probe, load, convert, parity, store; and slow when the compilation begins to wait or work where others pass it.

        Raises FileMissing, FileChanged or TooLarge for the source; FormatUnknown or ModelUnsafe for its content;
        SpecInvalid when the spec does not fit the model; CompileFailed or ParityFailed when conversion fails;
        BackboneMissing and CompilerMissing when what they name is not installed; StorageUnavailable for the disk. A
        refusal that depends on source and spec alone is remembered, and raised again until it is forgotten.
        """
        report_step = on_step or (lambda _: None)
        if given is not None:
            given = await run_sync(self._backbones.pin, given)
        source = _Source(path, digest, given, self.store.compute_key(digest, given))
        if found := await self._find(source):
            return found
        report_step("queue")
        running = self._running.setdefault(source.key, asyncio.Lock())
        if running.locked():
            report_step(SLOW)
        async with running:
            if found := await self._find(source):
                return found
            try:
                return await self._compile_in_lanes(source, report_step)
            except REMEMBERED as error:
                await run_sync(self._refusals.remember, source.key, error)
                raise

    async def _find(self, source: _Source) -> CompiledModel | None:
        """Return the compiled model where it is in the store; raises a remembered refusal."""
        if found := await run_sync(self.store.find, source.key):
            return found
        if refusal := await run_sync(self._refusals.find, source.key):
            raise refusal
        return None

    async def _compile_in_lanes(self, source: _Source, report_step: Callable[[str], None]) -> CompiledModel:
        with translate_disk_errors(self._settings.var_dir):
            async with CompileLanes(self._settings.var_dir) as lanes:
                if found := await self._find(source):
                    return found

                async def leave() -> bool:
                    report_step(SLOW)
                    return await lanes.try_slow_lane()

                try:
                    return await self._compile_in_child(source, lanes, report_step, leave)
                except QuickLaneFull:
                    await lanes.wait_for_slow_lane()
                return await self._find(source) or await self._compile_in_child(source, lanes, report_step, None)

    async def _compile_in_child(
        self,
        source: _Source,
        lanes: CompileLanes,
        report_step: Callable[[str], None],
        leave_quick_lane: Callable[[], Awaitable[bool]] | None,
    ) -> CompiledModel:
        backbone = None
        if source.given is not None and source.given.backbone is not None:
            backbone = await run_sync(self._backbones.require, source.given.backbone)
        with self._sandbox.open_scratch() as scratch:
            report_step("copy")
            size = await run_sync(self._copy, source, scratch / "source")
            started = time.monotonic()
            request = ConvertRequest(
                source=scratch / "source",
                name=source.path.name,
                out=scratch / "out",
                limits=self._sandbox.build_limits(scratch),
                parent=os.getpid(),
            )
            answer = await self._sandbox.run(request, report_step, leave_quick_lane)
            outcome = ConvertResult.model_validate_json(answer)
            seconds = time.monotonic() - started
            await lanes.return_to_quick_lane()
            report_step("store")
            return await run_sync(self._store, source, size, outcome, scratch / "out", seconds, backbone)

    def _copy(self, source: _Source, target: Path) -> int:
        """Copy the source and return its size in bytes."""
        if model_source.copy_source(source.path, target, self._settings.max_model_bytes) != source.digest:
            raise FileChanged(f"{source.path.name} is no longer the file that was registered.")
        return model_source.measure_size(target)

    def _store(
        self,
        source: _Source,
        size: int,
        outcome: ConvertResult,
        out: Path,
        seconds: float,
        backbone: BackboneManifest | None,
    ) -> CompiledModel:
        """Complete the spec by the model's signature, and move what the child made into the store."""
        given = source.given or PartialSpec()
        scores = choose_score_output(outcome.outputs, given.over(outcome.hints).labels)
        outputs = (outcome.outputs[scores], *outcome.outputs[:scores], *outcome.outputs[scores + 1 :])
        spec = resolve(given, outcome.hints, outcome.inputs, outputs, outcome.activations[scores], backbone)
        model = out / outcome.runtime.file_name
        report = CompileReport(
            key=source.key,
            source_digest=source.digest,
            source_bytes=size,
            format=outcome.format.value,
            spec=spec,
            outputs=outputs,
            graph_activation=outcome.activations[scores],
            onnx_digest=model_source.compute_digest(model),
            onnx_bytes=model.stat().st_size,
            probes_digest=model_source.compute_digest(out / PROBES_FILE),
            seconds=seconds,
            isolation=(*outcome.isolation, "environment", "wall_clock"),
            notes=(*outcome.notes, *list_spec_notes(spec)),
            versions=outcome.versions | {VERSION_NAME: str(COMPILER_VERSION)},
            compiled_at=datetime.now(UTC),
            **{name: getattr(outcome, name) for name in _SHARED},
        )
        return self.store.add(out, report)


_SHARED = ("runtime", "framework", "written_by", "inputs", "parity", "peak_memory_bytes")
