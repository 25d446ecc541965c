"""Loads a registered model into memory and warms it up, beside the live model."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog
from cachetools import LRUCache

from understudy.compiler.compiled_store import CompiledModel
from understudy.compiler.model_source import compute_digest
from understudy.engine.engine import BackboneFile, Engine, EngineModel
from understudy.errors import FIND_SPEC, FileChanged, FileMissing, ProbeFailed, TakesTensors
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.model_detail import (
    describe_signature,
    describe_tensors_only,
    describe_unnamed,
    has_invented_labels,
)
from understudy.registry.registry import Registry
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.inference.prediction import ModelIdentity
from understudy.schemas.registry.signature import Signer
from understudy.schemas.server.operation import Step
from understudy.serving.activation.activation_probes import ActivationProbes
from understudy.serving.activation.signatures import ModelSignatures
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.compilation.file_sharing import FileSharing
from understudy.serving.examples.prover import Prover
from understudy.serving.prediction.backbone_holder import BackboneHolder
from understudy.serving.sync.live_model import LoadedModel
from understudy.serving.telemetry.counters import Counters
from understudy.settings import Settings

log = structlog.get_logger()

# Models that stay loaded beside the live one, for `?model_id=` and for a roll back.
WARM_MODELS = 4

OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Candidate:
    """A model that is about to go live.

    `model` has the spec that it was compiled with. `warnings` say where the sidecar is no longer what was recorded, and
    that there are no examples. `examples_digest` is that of the examples that the model answered as expected, or None.
    `signer` signed it, where a policy asks for that.
    """

    model: RegisteredFile
    loaded: LoadedModel
    warnings: tuple[str, ...]
    examples_digest: str | None = None
    signer: Signer | None = None


def ignore_step(_: Step) -> None:
    """For callers that show no progress."""


class Preparation:
    """Verifies, compiles, loads and warms up a model. An error at any step leaves the live model as it is."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        compilation: Compilation,
        sharing: FileSharing,
        backbones: BackboneHolder,
        prover: Prover,
        signatures: ModelSignatures,
        engine: Engine,
        counters: Counters,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._compilation = compilation
        self._sharing = sharing
        self._backbones = backbones
        self._prover = prover
        self._signatures = signatures
        self._engine = engine
        self._counters = counters
        self._probes = ActivationProbes(settings, engine)
        self._warm_cache: LRUCache[str, EngineModel] = LRUCache(WARM_MODELS)
        self._loading: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def prepare(
        self, model_id: int, on_step: OnStep = ignore_step, variant: str = Precision.FLOAT32
    ) -> LoadedModel:
        """Return the model, loaded and warm. Its file must be exactly the one that was registered.

        `variant` is float32, int8 (the latest int8 variant) or the key of an int8 variant. Raises ModelNotFound,
        FileMissing, FileChanged, every error of compiling and of warming up, and every error of
        `Compilation.find_variant`.
        """
        on_step(Step.VERIFY)
        model = await self._verify(model_id)
        return await self._load(model, await self._compile(model, on_step, variant), (), on_step)

    async def prepare_activation(
        self, model_id: int, on_step: OnStep, variant: str, *, tensors_only: bool = False
    ) -> Candidate:
        """Return the model as it would go live now: like `prepare`, after the sidecar, probes and examples.

        With a shared store, the store has it then.

        Raises what `prepare` raises, what `ActivationProbes.require` raises, NotSigned where a policy asks for a
        signature, and ExamplesMissed where the model does not answer as its examples say. Without `tensors_only`,
        raises TakesTensors for a model that cannot score recordings: with it live, every prediction fails.
        """
        on_step(Step.VERIFY)
        await self._verify(model_id)
        reading = await self._registry.read_spec_now(model_id)
        signer = await self._signatures.require(reading.model, with_examples=True)
        compiled = await self._compile(reading.model, on_step, variant)
        if compiled.report.takes_tensors_only and not tensors_only:
            raise _build_tensors_refusal(reading.model, compiled)
        loaded = await self._load(reading.model, compiled, (), on_step)
        unanswered = await self._probe(compiled, loaded.engine_model)
        proved = await self._prover.require(reading.model, loaded.engine_model)
        await self._sharing.publish(reading.model, compiled)
        if signer is not None:
            await self._signatures.share(reading.model, (signer,))
        notes = (*reading.notes, *unanswered, *proved.notes)
        return Candidate(reading.model, loaded, notes, proved.examples_digest, signer)

    def release(self, source_digest: str, *, keep: EngineModel | None) -> int:
        """Forget the loaded models of the file with this digest except `keep`, and return how many there were.

        Their memory is freed when the last request that uses them has ended.
        """
        found = [
            key
            for key, model in self._warm_cache.items()
            if model.report.source_digest == source_digest and model is not keep
        ]
        for key in found:
            del self._warm_cache[key]
        return len(found)

    async def is_current(self, loaded: LoadedModel) -> bool:
        """Return whether the model's row and file are still those that it was loaded from.

        Raises as `prepare` does where row or file cannot be read.
        """
        model = await self._verify(loaded.identity.model_id)
        now = model.model_name, model.version, self._compilation.key(model)
        return now == (loaded.identity.model_name, loaded.identity.version, loaded.engine_model.report.key)

    async def prepare_desired(self, model_id: int, variant: str = Precision.FLOAT32) -> LoadedModel:
        """Return the model that the database desires. Its compiled model serves where its file is missing or changed.

        Raises what `prepare` raises; FileMissing and FileChanged only where there is no compiled model either, and
        NotSigned where a policy asks for a signature.
        """
        await self._signatures.require(await self._registry.ensure_file_record(model_id), with_examples=False)
        try:
            return await self.prepare(model_id, variant=variant)
        except (FileMissing, FileChanged) as error:
            model = await self._registry.ensure_file_record(model_id)
            if await self._compilation.find(model) is None:
                raise
            log.warning("serving the compiled copy", model_id=model_id, reason=error.detail, remedy=error.remedy)
            compiled = await self._compile(model, ignore_step, variant)
            return await self._load(model, compiled, (f"{error.detail} The compiled copy is served.",), ignore_step)

    async def _verify(self, model_id: int) -> RegisteredFile:
        model = await self._registry.ensure_file_record(model_id)
        try:
            await asyncio.to_thread(self._registry.files.verify, model.facts)
        except FileMissing as error:
            # In the shared store a file lies under its digest: it is the one that was registered.
            if not self._sharing.is_enabled:
                raise
            if await self._compilation.find(model) is None and await self._sharing.fetch_source(model) is None:
                raise FileMissing(
                    f"{error.detail} The store {self._settings.store} lacks the model too.",
                    remedy="Give every server the same UNDERSTUDY_STORE, and activate the model on the server that has "
                    "its file. Or put the file at that path, then try again.",
                ) from error
        return model

    async def _compile(self, model: RegisteredFile, on_step: OnStep, variant: str) -> CompiledModel:
        on_step(Step.COMPILE)
        compiled = await self._compilation.compile(model)
        return compiled if variant == Precision.FLOAT32 else await self._compilation.find_variant(model, variant)

    async def _load(
        self, model: RegisteredFile, compiled: CompiledModel, notes: tuple[str, ...], on_step: OnStep
    ) -> LoadedModel:
        on_step(Step.WARM_UP)
        backbone = await self._backbones.get_for(compiled.report)
        key = _build_key(compiled, backbone.digest if backbone else None)
        async with self._loading.setdefault(key, asyncio.Lock()):  # two requests load a model once
            engine_model = self._warm_cache.get(key)
            if engine_model is not None and self._engine.find_problem(engine_model) is not None:  # set aside: try anew
                engine_model = None
                self._probes.forget(key)
            if engine_model is None:
                engine_model = self._warm_cache[key] = await self._load_engine_model(compiled, backbone)
        identity = ModelIdentity(
            model_id=model.model_id,
            model_name=model.model_name,
            version=model.version,
            digest=compiled.report.source_digest,
            precision=compiled.precision,
        )
        variant = compiled.key if compiled.report.quantization else Precision.FLOAT32
        notes = (*notes, *await self._note_other_backbone(compiled), *_note_missing_spec(model, compiled))
        return LoadedModel(identity, engine_model, notes, variant)

    async def _probe(self, compiled: CompiledModel, engine_model: EngineModel) -> tuple[str, ...]:
        """Run the probes as `ActivationProbes.require` does; a model that fails them does not stay loaded."""
        key = _build_key(compiled, engine_model.backbone_digest)
        try:
            return await self._probes.require(engine_model, key)
        except ProbeFailed:
            if self._warm_cache.get(key) is engine_model:
                del self._warm_cache[key]
            raise

    async def _note_other_backbone(self, compiled: CompiledModel) -> tuple[str, ...]:
        """Return a note where an int8 variant was made from another backbone than the one that is installed now."""
        quantization, path = compiled.report.quantization, self._settings.backbone_path
        if quantization is None or quantization.backbone_digest is None or not path.is_file():
            return ()
        if await asyncio.to_thread(compute_digest, path) == quantization.backbone_digest:
            return ()
        return ("Its int8 variant was made from another YAMNet backbone than the one that is installed.",)

    async def _load_engine_model(self, compiled: CompiledModel, backbone: BackboneFile | None) -> EngineModel:
        started = time.perf_counter()
        model = await self._engine.load(compiled.folder, backbone)
        self._counters.loads.observe(time.perf_counter() - started)
        self._sharing.note_loaded(compiled, model)
        return model


def _build_key(compiled: CompiledModel, backbone_digest: str | None) -> str:
    return f"{compiled.key} on {backbone_digest}"


def _note_missing_spec(model: RegisteredFile, compiled: CompiledModel) -> tuple[str, ...]:
    """Return a note where no source names the model's labels or says how a recording becomes its input."""
    if compiled.report.takes_tensors_only:
        return (describe_tensors_only(model.model_id, compiled.report, live=True),)
    return (describe_unnamed(model.model_id, live=True),) if has_invented_labels(compiled.report) else ()


def _build_tensors_refusal(model: RegisteredFile, compiled: CompiledModel) -> TakesTensors:
    return TakesTensors(
        f"Model {model.model_id} takes tensors only: it cannot score recordings, so it was not made live. "
        f"{describe_signature(compiled.report)}",
        remedy="Name the features that it was trained on in its spec, by a `preset` or a `front_end` "
        f"(docs/presets.md): `understudy update {model.model_id} --spec FILE`. To search them by the answers of the "
        f"author's own script: `{FIND_SPEC}`. To serve tensors only: "
        f"`understudy activate {model.model_id} --tensors-only`, or POST "
        f"/api/v1/models/{model.model_id}/activate?tensors_only=true.",
    )
