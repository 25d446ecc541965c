"""From a registered row to a warm model in memory, beside whatever is live."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from understudy.compiler.compiled_store import CompiledModel
from understudy.compiler.model_source import compute_digest
from understudy.errors import FileChanged, FileMissing
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.pipeline.yamnet_backbone import Backbone
from understudy.registry.files.file_records import RegisteredFile
from understudy.registry.models.registry import Registry
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.server.operation import Step
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.prediction.backbone_holder import BackboneHolder
from understudy.serving.prediction.warm_cache import WarmCache
from understudy.serving.scheduling.worker_pool import WorkerPool
from understudy.serving.sync.live_model import LoadedModel
from understudy.serving.telemetry.counters import Counters
from understudy.settings import Settings

log = structlog.get_logger()

OnStep = Callable[[Step], Awaitable[None]]


async def ignore_step(_: Step) -> None:
    """For callers that show no progress."""


class Preparation:
    """Verify, compile and warm up. Raises a typed error at the first step that fails and changes nothing on stage."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        compilation: Compilation,
        backbones: BackboneHolder,
        pool: WorkerPool,
        counters: Counters,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._compilation = compilation
        self._backbones = backbones
        self._pool = pool
        self._counters = counters
        self._standby = WarmCache()

    async def rehearse(
        self, model_id: int, on_step: OnStep = ignore_step, form: str = Precision.FLOAT32
    ) -> LoadedModel:
        """The model, for someone who asks for it now: its file must be there, exactly as registered.

        `form` is float32, int8 (the latest twin) or the key of a twin. Raises ModelNotFound, FileMissing, FileChanged,
        whatever compiling and warming up raise, and what `Compilation.twin` raises.
        """
        await on_step(Step.VERIFY)
        return await self._load(await self._verified(model_id), (), on_step, form)

    async def still_is(self, loaded: LoadedModel) -> bool:
        """Whether its row and file are what it was loaded from; raises as `rehearse` does where they cannot be read."""
        model = await self._verified(loaded.identity.model_id)
        now = model.model_name, model.version, self._compilation.key(model)
        return now == (loaded.identity.model_name, loaded.identity.version, loaded.pipeline.report.key)

    async def recover(self, model_id: int, form: str = Precision.FLOAT32) -> LoadedModel:
        """The model, because the database desires it: its compiled form serves even where its file is gone or changed.

        Raises what `rehearse` raises when there is no compiled form either.
        """
        try:
            return await self.rehearse(model_id, form=form)
        except (FileMissing, FileChanged) as error:
            model = await self._registry.ensure_file_record(model_id)
            if await self._compilation.find(model) is None:
                raise
            log.warning("serving the compiled copy", model_id=model_id, reason=error.detail, remedy=error.remedy)
            return await self._load(model, (f"{error.detail} Its compiled copy is served.",), ignore_step, form)

    async def _verified(self, model_id: int) -> RegisteredFile:
        model = await self._registry.ensure_file_record(model_id)
        await asyncio.to_thread(self._registry.files.verified, model.facts)
        return model

    async def _load(self, model: RegisteredFile, notes: tuple[str, ...], on_step: OnStep, form: str) -> LoadedModel:
        await on_step(Step.COMPILE)
        compiled = await self._compilation.compile(model)
        if form != Precision.FLOAT32:
            compiled = await self._compilation.twin(model, form)
        await on_step(Step.WARM_UP)
        backbone = await self._backbone_of(compiled)
        key = f"{compiled.key} on {backbone.digest if backbone else None}"
        pipeline = self._standby.get(key)
        if pipeline is None:
            pipeline = await self._warm(compiled, backbone)
            self._standby.put(key, pipeline)
        identity = ModelIdentity(
            model_id=model.model_id,
            model_name=model.model_name,
            version=model.version,
            digest=compiled.report.source_digest,
            precision=compiled.precision,
        )
        form = compiled.key if compiled.report.quantization else Precision.FLOAT32
        return LoadedModel(identity, pipeline, (*notes, *await self._changed_since(compiled)), form)

    async def _changed_since(self, compiled: CompiledModel) -> tuple[str, ...]:
        """A note where another backbone was installed after an int8 twin was measured against the one before."""
        quantization, path = compiled.report.quantization, self._settings.backbone_path
        if quantization is None or quantization.backbone_digest is None or not path.is_file():
            return ()
        if await asyncio.to_thread(compute_digest, path) == quantization.backbone_digest:
            return ()
        return ("Its int8 twin was made from another YAMNet backbone than the one that is installed.",)

    async def _backbone_of(self, compiled: CompiledModel) -> Backbone | None:
        if not compiled.report.spec.input.on_backbone:
            return None
        quantization = compiled.report.quantization
        if quantization is not None and quantization.backbone is not None:
            return await self._backbones.twin(quantization.backbone)
        return await self._backbones.get()

    async def _warm(self, compiled: CompiledModel, backbone: Backbone | None) -> Pipeline:
        def load_and_warm() -> Pipeline:
            started = time.perf_counter()
            pipeline = Pipeline.load(
                compiled.folder, backbone=backbone, max_whole_clip_seconds=self._settings.max_whole_clip_seconds
            )
            pipeline.warm_up()
            self._counters.loads.observe(time.perf_counter() - started)
            return pipeline

        return await self._pool.load(load_and_warm)
