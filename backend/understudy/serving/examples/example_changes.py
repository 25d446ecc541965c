"""Stores, shows and removes the examples of a registered model."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import FileChanged, OutcomeUnknown, StorageUnavailable, UnderstudyError
from understudy.files.regular_file import open_regular
from understudy.files.thread_opening import open_on_thread
from understudy.models import HistoryEvent
from understudy.registry.database.database import Database
from understudy.registry.files.example_clips import ExampleClips, NewExample
from understudy.registry.files.examples_beside import ExamplesBeside
from understudy.registry.files.examples_csv import read_folder, refuse_doubles
from understudy.registry.models import example_rows
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.history import model_history
from understudy.registry.models.table.rows import Row
from understudy.registry.registry import Registry
from understudy.schemas.registry.examples import ExampleSet, ModelExamples, summarize_examples
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.serving.compilation.compilation import Compilation
from understudy.serving.compilation.compile_queue import CompileQueue
from understudy.settings import Settings

log = structlog.get_logger()


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

    async def register(self, request: ModelCreate, actor: str) -> ModelDetail:
        """Register a model together with the examples that a training wrote beside its file.

        Examples beside the file that name another file, or none, are only offered, in a note of the answer. A file that
        has examples already keeps them. Raises what `register_with` raises; nothing is registered where the examples
        cannot be used.
        """
        found = await asyncio.to_thread(self._find_own, request.file_path)
        if found is None:
            return await self._registry.register(request, actor)
        with closing(await open_on_thread(partial(_open_examples, found.place))) as opened:
            if not opened.examples:
                return await self._registry.register(request, actor)
            model, stored = await self._register_with(request, opened.examples, actor, keep_earlier=True)
        if not stored:
            return model
        note = f"Its {len(opened.examples)} examples were read from {found.path}, which was written for this file."
        return model.model_copy(update={"notes": (*model.notes, note)})

    async def register_with(self, request: ModelCreate, examples: Sequence[NewExample], actor: str) -> ModelDetail:
        """Register a model together with its examples: both are stored, or neither.

        Raises what `Registry.register` and `replace` raise.
        """
        model, _ = await self._register_with(request, examples, actor, keep_earlier=False)
        return model

    async def _register_with(
        self, request: ModelCreate, examples: Sequence[NewExample], actor: str, *, keep_earlier: bool
    ) -> tuple[ModelDetail, bool]:
        """Return the model, and whether the examples were stored: with `keep_earlier`, not in place of others."""
        await self.check(examples)
        digest = await asyncio.to_thread(self._compute_digest, request.file_path)
        async with self._clips.lock():
            kept = await self._find(digest)
            if kept is not None and keep_earlier:
                return await self._registry.register(request, actor), False
            try:
                stored = await asyncio.to_thread(self._clips.store, digest, examples)

                async def save(session: AsyncSession, row: Row) -> None:
                    _require_same_file(row, digest)
                    await self._save(session, row.model.model_id, digest, stored, actor)

                model = await self._registry.register(request, actor, save)
            except OutcomeUnknown:  # either set of clips may be needed
                raise
            except BaseException:
                await self._remove_clips(digest, kept)
                raise
            await self._remove_clips(digest, stored)
        self._queue.add(model.model_id)
        return model, True

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
                    await self._save(session, model_id, digest, stored, actor)
                    # Built before the commit: an answer that fails must not leave the change behind.
                    answer = await self._describe(session, model)
            except OutcomeUnknown:  # either set of clips may be needed
                raise
            except BaseException:
                await self._remove_clips(digest, kept)
                raise
            await self._remove_clips(digest, stored)
        self._queue.add(model_id)
        return answer

    async def replace_from_file(self, model_id: int, file: Path, actor: str) -> ModelExamples:
        """Store the examples of an examples.csv, whose clips lie beside it. Raises what `replace` raises."""
        with closing(await open_on_thread(partial(_open_examples, file))) as opened:
            return await self.replace(model_id, opened.examples, actor)

    async def get(self, model_id: int) -> ModelExamples:
        """Return the examples and the latest run of them; write nothing. Raises what `read_file_record` raises."""
        return await self._show(await self._registry.read_file_record(model_id))

    async def remove(self, model_id: int, actor: str) -> ModelExamples:
        """Remove the examples and their clips; a model without any stays as it is.

        Raises what `Registry.ensure_file_record` raises.
        """
        model = await self._registry.ensure_file_record(model_id)
        digest = model.facts.digest
        async with self._clips.lock():
            async with self._database.write() as session:
                earlier = await example_rows.find_digest(session, digest)
                if await example_rows.remove(session, digest):
                    detail = "Changed: examples (removed)."
                    await self._record(session, model_id, actor, detail, before=earlier, after=None)
                answer = await self._describe(session, model)
            await self._remove_clips(digest, None)
        return answer

    def _find_own(self, path: str) -> ExamplesBeside | None:
        """Return the examples beside a file that were written for it; registering reports what is wrong with a file."""
        try:
            found = self._registry.files.find_examples(path)
        except UnderstudyError:
            return None
        return found if found is not None and found.own else None

    async def _find(self, digest: str) -> ExampleSet | None:
        async with self._database.read() as session:
            return await example_rows.find(session, digest)

    def _compute_digest(self, path: str) -> str:
        return self._registry.files.read(path).digest

    async def _save(self, session: AsyncSession, model_id: int, digest: str, examples: ExampleSet, actor: str) -> None:
        earlier = await example_rows.find_digest(session, digest)
        await example_rows.save(session, digest, examples)
        detail = f"Changed: examples ({len(examples.examples)})."
        await self._record(session, model_id, actor, detail, before=earlier, after=examples.digest)

    async def _remove_clips(self, digest: str, kept: ExampleSet | None) -> None:
        """Delete the clips that `kept` does not name. A failure is logged: the change itself is decided already."""
        try:
            await asyncio.shield(asyncio.to_thread(self._clips.keep_only, digest, kept))
        except StorageUnavailable as error:
            log.warning("clips not removed", digest=digest, detail=error.detail, remedy="`understudy doctor --fix`")

    async def _show(self, model: RegisteredFile) -> ModelExamples:
        async with self._database.read() as session:
            return await self._describe(session, model)

    async def _describe(self, session: AsyncSession, model: RegisteredFile) -> ModelExamples:
        proof = int8_proof = None
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
    async def _record(
        session: AsyncSession, model_id: int, actor: str, detail: str, *, before: str | None, after: str | None
    ) -> None:
        """Write the change to the history; `before` and `after` are digests of the examples."""
        await model_history.record(
            session,
            HistoryEvent.UPDATED,
            model_id,
            actor=actor,
            detail=detail,
            before={"examples_digest": before},
            after={"examples_digest": after},
        )


def _require_same_file(row: Row, digest: str) -> None:
    """Raises FileChanged where the row has another file than that of `digest`."""
    if row.record is None or row.record.digest != digest:
        raise FileChanged(f"{row.model.file_path} was replaced while it was registered.")


@dataclass(frozen=True)
class _OpenExamples:
    """The examples of an examples.csv; `close` closes their clips."""

    examples: list[NewExample]
    close: Callable[[], None]


def _open_examples(file: Path) -> _OpenExamples:
    """Read an examples.csv and open its clips. Raises ExamplesInvalid."""
    with ExitStack() as stack:
        found = read_folder(file)
        examples = [NewExample(each.expected, stack.enter_context(open_regular(each.path))) for each in found]
        return _OpenExamples(examples, stack.pop_all().close)
