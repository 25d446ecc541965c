"""Changes a registered model, and has it compiled again where its spec changed."""

import asyncio
from dataclasses import replace

from understudy.compiler.spec_resolution import refuse_misfit
from understudy.registry.models.spec_reading import read_spec_now
from understudy.registry.models.specs.recorded_spec import change_given
from understudy.registry.registry import Registry
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.compilation.compile_queue import CompileQueue
from understudy.serving.sync.live_model import LiveModelReference


class ModelChanges:
    """The use-case behind PUT, PATCH and `understudy update`."""

    def __init__(
        self, registry: Registry, compilation: Compilation, queue: CompileQueue, live: LiveModelReference
    ) -> None:
        self._registry = registry
        self._compilation = compilation
        self._queue = queue
        self._live = live

    async def update(self, model_id: int, request: ModelUpdate, actor: str) -> ModelDetail:
        """Change the fields that are present in `request`.

        A changed spec is compiled in the background, so that the next activation is instant. The live model answers
        under its new name at once, and under its new spec when it is activated again.

        Raises SpecInvalid when the spec does not fit the compiled model, and what `Registry.update` raises.
        """
        changes_spec = "spec" in request.model_fields_set
        if changes_spec and "file_path" not in request.model_fields_set:
            await self._refuse_misfit(model_id, request.spec)
        model = await self._registry.update(
            model_id, request, actor, lambda row: self._live.rename(model_id, row.model_name, row.version)
        )
        if changes_spec:
            self._queue.add(model_id)
        return model

    async def compile_again(self, model_id: int) -> None:
        """Forget that a model was refused, and compile it in the background.

        Raises what `Registry.ensure_file_record` raises.
        """
        await self._compilation.forget_refusal((await self._registry.read_spec_now(model_id)).model)
        self._queue.add(model_id)

    async def _refuse_misfit(self, model_id: int, change: PartialSpec | None) -> None:
        recorded = await self._registry.ensure_file_record(model_id)
        compiled = await self._compilation.find(recorded)
        if compiled is None:
            return
        files = self._registry.files
        filled = change and await asyncio.to_thread(files.fill_given, change, recorded.facts.path)
        changed = replace(recorded, given=change_given(recorded.given, filled))
        spec = (await asyncio.to_thread(read_spec_now, files, changed)).model.spec or PartialSpec()
        backbone = None if spec.backbone is None else await asyncio.to_thread(files.backbones.require, spec.backbone)
        refuse_misfit(spec, recorded.spec or PartialSpec(), compiled.report, backbone)
