"""Stores, shows and removes the examples of a registered model."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.files.example_clips import ExampleClips, NewExample
from understudy.registry.files.examples_csv import refuse_doubles
from understudy.registry.models import example_rows, model_history
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry
from understudy.schemas.registry.examples import ExampleSet, ModelExamples, summarize_examples
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.compilation.compile_queue import CompileQueue
from understudy.settings import Settings


class ExampleChanges:
    """The use-case behind /api/v1/models/{model_id}/examples and --examples.

    Examples belong to the content of the model file: every model that is registered with that file has them.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        registry: Registry,
        compilation: Compilation,
        queue: CompileQueue,
    ) -> None:
        self._database = database
        self._registry = registry
        self._compilation = compilation
        self._queue = queue
        self._clips = ExampleClips(settings)

    async def check(self, examples: Sequence[NewExample]) -> None:
        """Raises what `replace` raises for the examples themselves, so that a model is not registered without them."""
        refuse_doubles(each.expected for each in examples)
        await asyncio.to_thread(self._clips.check, examples)

    async def replace(self, model_id: int, examples: Sequence[NewExample], actor: str) -> ModelExamples:
        """Store the examples in place of earlier ones; they are run in the background.

        Raises ModelNotFound, what `Registry.ensure_file_record` raises, ExamplesInvalid, TooLarge and
        StorageUnavailable. After an error the earlier examples are still there.
        """
        refuse_doubles(each.expected for each in examples)
        model = await self._registry.ensure_file_record(model_id)
        digest = model.facts.digest
        async with self._clips.lock():
            kept = await self._find(digest)
            try:
                stored = await asyncio.to_thread(self._clips.store, digest, examples)
                async with self._database.write() as session:
                    await example_rows.save(session, digest, stored)
                    await self._record(session, model_id, actor, f"Changed: examples ({len(examples)}).")
                kept = stored
            finally:
                await asyncio.shield(asyncio.to_thread(self._clips.keep_only, digest, kept))
        self._queue.add(model_id)
        return await self._show(model)

    async def get(self, model_id: int) -> ModelExamples:
        """Return the examples and the latest run of them; write nothing. Raises what `read_file_record` raises."""
        return await self._show(await self._registry.read_file_record(model_id))

    async def remove(self, model_id: int, actor: str) -> ModelExamples:
        """Remove the examples and their clips; a model without any stays as it is.

        Raises what `Registry.ensure_file_record` raises, and StorageUnavailable.
        """
        model = await self._registry.ensure_file_record(model_id)
        digest = model.facts.digest
        async with self._clips.lock():
            async with self._database.write() as session:
                if await example_rows.remove(session, digest):
                    await self._record(session, model_id, actor, "Changed: examples (removed).")
            await asyncio.to_thread(self._clips.keep_only, digest, None)
        return await self._show(model)

    async def _find(self, digest: str) -> ExampleSet | None:
        async with self._database.read() as session:
            return await example_rows.find(session, digest)

    async def _show(self, model: RegisteredFile) -> ModelExamples:
        proof = int8_proof = None
        async with self._database.read() as session:
            examples = await example_rows.find(session, model.facts.digest)
            if examples is not None:
                proof = await example_rows.find_proof(session, self._compilation.key(model), examples.digest)
                if model.int8_variant is not None:
                    int8_proof = await example_rows.find_proof(session, model.int8_variant, examples.digest)
        return ModelExamples(
            model_id=model.model_id,
            digest=model.facts.digest,
            examples_digest=examples.digest if examples else None,
            summary=summarize_examples(examples, proof),
            examples=examples.examples if examples else (),
            proof=proof,
            int8_proof=int8_proof,
        )

    @staticmethod
    async def _record(session: AsyncSession, model_id: int, actor: str, detail: str) -> None:
        await model_history.record(session, HistoryEvent.UPDATED, model_id, actor=actor, detail=detail)
