"""Use-cases on the registered models: register, change, delete, list, and read their history."""

import builtins
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from anyio.to_thread import run_sync
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.compiler.compiled_store import CompiledStore
from understudy.errors import (
    ActiveModelNotFound,
    Conflict,
    ModelIsActive,
    ModelNotFound,
    NameTaken,
    OutcomeUnknown,
    PathRefused,
    RequestInvalid,
    RowRefused,
    SpecInvalid,
)
from understudy.models import CompileState, HistoryEvent, MlModel, utc_now
from understudy.models.base import to_naive_utc
from understudy.models.naming import refuse_name, refuse_version
from understudy.registry.database.column_values import refuse_nul, to_columns
from understudy.registry.database.database import Database
from understudy.registry.deployment import confirmations, desired_state
from understudy.registry.files.folder_scan import scan_folder
from understudy.registry.files.model_files import FileFacts, FileState, ModelFiles
from understudy.registry.models import example_rows, file_records
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.history import model_history
from understudy.registry.models.model_detail import add_details
from understudy.registry.models.spec_reading import SpecReading, read_spec_now
from understudy.registry.models.specs.recorded_spec import change_given, given_to_json, merge_specs, read_recorded_spec
from understudy.registry.models.stored_times import StoredTimes
from understudy.registry.models.table import listing, rows
from understudy.registry.models.table.creator_column import CreatorColumn
from understudy.registry.models.table.row_view import collect_facts, read_facts, select_values, to_answer
from understudy.registry.models.table.rows import Row
from understudy.registry.models.unanswered import Attempt, UnansweredRegistrations
from understudy.schemas.access.actor import Source, get_principal_id
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.examples import ExamplesSummary
from understudy.schemas.registry.model import HistoryPage, ModelCreate, ModelList, ModelOut, ModelUpdate
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.schemas.registry.model_file import UnregisteredFile
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings


@dataclass(frozen=True)
class _FileContent:
    """A model file as it was read, and the spec beside it."""

    facts: FileFacts
    sidecar: PartialSpec | None


_UNREAD = FileState(exists=False, changed=False, bytes=None)


class Registry:
    """The registered models of one home folder and one database.

    `actor` names in the history who asked for a change. Every method raises DatabaseUnavailable when the database
    fails.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        """On a database that is `read_only`, facts about files and compilations are not recorded."""
        self._database = database
        self._models_dir = settings.models_dir
        self._backbone_path = settings.backbone_path
        self._times = StoredTimes()
        self._unanswered = UnansweredRegistrations()
        self._creator_column = CreatorColumn()
        self.files = ModelFiles(settings)
        self._store = CompiledStore(settings.compiled_dir)
        # Counts the changes to existing rows that this process has committed.
        self.revision = 0

    async def register(
        self, request: ModelCreate, actor: str, also: Callable[[AsyncSession, Row], Awaitable[None]] | None = None
    ) -> ModelDetail:
        """Add an inactive model whose file exists already. `also` is awaited with its row, in the same transaction.

        Raises PathRefused, FileMissing, FormatUnknown (a folder without a SavedModel), TooLarge, FileChanged (still
        being written), SpecInvalid (sidecar), BackboneMissing, NameTaken, NameRefused, RequestInvalid and what `also`
        raises. After an error nothing is stored, but for OutcomeUnknown: the same request then returns what was stored.
        """
        columns = to_columns(request)
        refuse_name(request.model_name)
        refuse_version(request.version)
        refuse_nul("spec", request.spec and request.spec.model_dump())
        columns["file_path"] = path = self.files.normalize_path(request.file_path)
        content = await self._read(path)
        given = request.spec and await run_sync(self.files.fill_given, request.spec, path)
        now = utc_now()
        creator = get_principal_id(actor)
        attempt = Attempt(request, content.facts.digest)
        try:
            async with self._write_name(request.model_name) as session:
                await rows.refuse_taken_name(session, request.model_name)
                if creator is not None and await self._creator_column.takes_our_ids(session):
                    columns["created_by_user_id"] = creator
                columns |= {"created_at": now, "updated_at": now, "is_active": False}
                model = (await rows.insert(session, columns)).model
                record = file_records.build_record(model, content.facts, given=given, sidecar=content.sidecar)
                session.add(record)
                await session.flush()
                await model_history.record_registration(session, model, record.digest, actor=actor)
                row = Row(model, record)
                if also is not None:
                    await also(session, row)
                examples = await example_rows.summarize(session, self._store, row)
                # Built before the commit: an answer that fails must not leave the row behind.
                answer = to_answer(select_values(row), FileState(exists=True, changed=False, bytes=content.facts.bytes))
        except OutcomeUnknown:
            self._unanswered.remember(attempt, answer.model_id)
            raise
        except NameTaken:
            if (done := await self._find_done(attempt)) is None:
                raise
            return done
        return await run_sync(add_details, self.files, self._store, row, answer, examples)

    async def _find_done(self, attempt: Attempt) -> ModelDetail | None:
        """Return the model that an earlier attempt registered whose commit was not answered; None without one."""
        model_id = self._unanswered.find(attempt)
        if model_id is None:
            return None
        try:
            model = await self.get(model_id)
        except ModelNotFound:
            return None
        return model if model.model_name == attempt.request.model_name else None

    async def update(
        self, model_id: int, request: ModelUpdate, actor: str, on_commit: Callable[[MlModel], None] = lambda _: None
    ) -> ModelDetail:
        """Change the fields that are present in `request`. The file and the sidecar of a new `file_path` are read.

        `on_commit` is called with the row as soon as the change is committed: calls are in the order of the commits.

        `spec` changes the fields that are present in it; null clears a field, and null in place of the spec clears all.
        A model that is not active has the changed spec at once and its compiled model is still to be made; the active
        model keeps its spec until it is activated again.

        A name or version that was typed into the table may stay as it is, whatever it is.

        Raises ModelNotFound, NameTaken, NameRefused, ModelIsActive (new path for the active model), what `register`
        raises for the path and, with `spec`, what `ensure_file_record` raises.
        """
        columns = to_columns(request)
        content = await self._read_new_file(model_id, columns) if "file_path" in columns else None
        changes_spec = "spec" in request.model_fields_set
        if changes_spec:
            refuse_nul("spec", request.spec and request.spec.model_dump())
            if content is None:
                await self.ensure_file_record(model_id)
        async with self._write_name(columns.get("model_name")) as session:
            await desired_state.lock(session)
            row = await rows.get(session, model_id, for_update=True)
            changes = {name: value for name, value in columns.items() if getattr(row.model, name) != value}
            refuse_name(changes.get("model_name"))
            refuse_version(changes.get("version"))
            if "model_name" in changes:
                await rows.refuse_taken_name(session, changes["model_name"], except_for=model_id)
            if "file_path" in changes:
                _refuse_active(row.model, "cannot be pointed at another file")
            if changes_spec or "file_path" in changes:
                await confirmations.refuse_needed(session, model_id, "cannot be given another file or spec")
            earlier = model_history.describe_row(row)
            if changes:
                row = await _apply_changes(session, row, changes, content)
            if changes_spec and await self._change_spec(session, row, request.spec):
                changes["spec"] = request.spec
            if changes:
                await model_history.record_update(session, row, earlier, sorted(changes), actor=actor)
            [values] = await self._times.to_utc(session, [select_values(row)])
            examples = await example_rows.summarize(session, self._store, row)
            answer = to_answer(values, _UNREAD)
        self.revision += 1
        on_commit(row.model)
        # Neither of both raises: nothing that fails may follow the commit.
        state = await run_sync(self.files.compare, row.model.file_path, collect_facts(row.record))
        answer = answer.model_copy(
            update={"file_exists": state.exists, "file_changed": state.changed, "file_bytes": state.bytes}
        )
        return await run_sync(add_details, self.files, self._store, row, answer, examples)

    async def delete(self, model_id: int, actor: str) -> ModelDeleted:
        """Delete the row, and keep the file and its examples. Raises ModelNotFound and ModelIsActive."""
        async with self._database.write() as session:
            await desired_state.lock(session)
            row = await rows.get(session, model_id, for_update=True)
            model = row.model
            _refuse_active(model, "cannot be deleted")
            await confirmations.refuse_needed(session, model_id, "cannot be deleted")
            kept = row.record is not None and await example_rows.find_digest(session, row.record.digest) is not None
            detail = f"The record of model {model_id} is deleted; the file {model.file_path} was not touched."
            if kept:
                detail += " Its examples stay for the file until `understudy doctor --fix`."
            answer = ModelDeleted(
                model_id=model_id, model_name=model.model_name, file_path=model.file_path, detail=detail
            )
            before = model_history.describe_row(row)
            await model_history.record(session, HistoryEvent.DELETED, model_id, actor=actor, before=before)
            await rows.delete(session, model_id)
        self.revision += 1
        return answer

    async def get(self, model_id: int) -> ModelDetail:
        """Return one model; raises ModelNotFound."""
        async with self._database.read() as session:
            row = await rows.get(session, model_id)
            [values] = await self._times.to_utc(session, [select_values(row)])
            examples = await example_rows.summarize(session, self._store, row)
        return await self._answer(row, values, examples)

    async def get_summary(self, model_id: int) -> ModelOut:
        """Return one model without the details that are read from its files; raises ModelNotFound."""
        async with self._database.read() as session:
            [values] = await self._times.to_utc(session, [select_values(await rows.get(session, model_id))])
        return (await self._answer_all([values]))[0]

    async def describe_verified(self, session: AsyncSession, row: Row) -> ModelOut:
        """Return the model of a row whose file was verified a moment ago, without a look at the file.

        For a transaction that changes the row: its answer is built before the commit, so that it cannot fail after it.
        """
        [values] = await self._times.to_utc(session, [select_values(row)])
        return to_answer(values, FileState(exists=True, changed=False, bytes=row.record.bytes if row.record else None))

    async def get_active(self) -> ModelDetail:
        """Return the active model. Raises ActiveModelNotFound when no row is active."""
        async with self._database.read() as session:
            row = await rows.find_active(session)
            if row is None:
                raise ActiveModelNotFound("No registered model is active.")
            [values] = await self._times.to_utc(session, [select_values(row)])
            examples = await example_rows.summarize(session, self._store, row)
        return await self._answer(row, values, examples)

    async def list(self, query: ModelQuery) -> ModelList:
        """Return one page and the active model; raises RequestInvalid for a cursor of another list."""
        refuse_nul("q", query.q)
        refuse_nul("type", query.type)
        async with self._database.read() as session:
            page = await listing.read_page(session, query)
            active = await rows.find_active(session)
            found = page.rows if active is None else [*page.rows, select_values(active)]
            found = await self._times.to_utc(session, found)
        answers = await self._answer_all(found)
        return ModelList(
            models=answers[: len(page.rows)],
            active_model=None if active is None else answers[-1],
            next_cursor=page.next_cursor,
            total=page.total,
        )

    async def list_types(self) -> builtins.list[str]:
        """Return the types that models have, sorted; at most 500."""
        async with self._database.read() as session:
            return await listing.read_types(session)

    async def list_history(
        self,
        model_id: int | None = None,
        *,
        event: str | Collection[str] | None = None,
        at: datetime | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> HistoryPage:
        """Return the history of one model, deleted models included, or of all; the newest entry first.

        `event` keeps only entries of this kind or of these kinds. With `at`, whose zone is UTC unless it names one, the
        history is that of this moment, and `live_at` says which model was live then.

        Raises ModelNotFound for an id that never belonged to a model, RequestInvalid for a cursor of another list and
        for a moment in the future.
        """
        kinds = None if event is None else (event,) if isinstance(event, str) else tuple(event)
        refuse_nul("event", kinds)
        if model_id is not None:
            rows.refuse_impossible_id(model_id)
        moment = None if at is None else _to_past(at)
        async with self._database.read() as session:
            page = await model_history.read_page(
                session, model_id=model_id, events=kinds, until=moment, limit=limit, cursor=cursor
            )
            if moment is not None:
                page.live_at = await model_history.find_live_at(session, moment)
            elif model_id is not None and not page.entries and event is None and cursor is None:
                await rows.get(session, model_id)
        return page

    async def list_unregistered_files(self) -> builtins.list[UnregisteredFile]:
        """Return the model files and SavedModel folders directly in `models/` that no row names, ordered by name."""
        async with self._database.read() as session:
            registered = await rows.list_file_paths(session)
        found = await run_sync(scan_folder, self._models_dir, self._backbone_path)
        return [file for file in found if file.file_path not in registered]

    async def read_file_record(self, model_id: int) -> RegisteredFile:
        """Return the facts about a model's file; the file of a row made by hand is read, and nothing is recorded.

        Raises ModelNotFound, and what `register` raises for the path when the file has to be read.
        """
        async with self._database.read() as session:
            row = await rows.get(session, model_id)
        record = row.record
        if record is None:
            content = await self._read(row.model.file_path)
            record = file_records.build_record(row.model, content.facts, given=None, sidecar=content.sidecar)
        return RegisteredFile.from_rows(row.model, record)

    async def ensure_file_record(self, model_id: int) -> RegisteredFile:
        """Return the recorded facts about a model's file; the file of a row made by hand is read and recorded now.

        A database that is `read_only` keeps no record. Raises ModelNotFound, Conflict when the row's path changes
        meanwhile, and what `register` raises for the path when the file has to be read.
        """
        if self._database.read_only:
            return await self.read_file_record(model_id)
        async with self._database.read() as session:
            row = await rows.get(session, model_id)
        if row.record is not None:
            return RegisteredFile.from_rows(row.model, row.record)
        content = await self._read(row.model.file_path)
        async with self._database.write() as session:
            now = await rows.get(session, model_id, for_update=True)
            if now.record is not None:
                return RegisteredFile.from_rows(now.model, now.record)
            if now.model.file_path != row.model.file_path:
                raise Conflict(f"The path of model {model_id} was changed meanwhile.")
            record = await file_records.replace(session, now, content.facts, given=None, sidecar=content.sidecar)
        return RegisteredFile.from_rows(now.model, record)

    async def read_spec_now(self, model_id: int) -> SpecReading:
        """Return the model with the spec that its next activation compiles it with: the sidecar is read again.

        Raises what `ensure_file_record` raises.
        """
        return await run_sync(read_spec_now, self.files, await self.ensure_file_record(model_id))

    async def set_compile_state(
        self,
        model: RegisteredFile,
        state: CompileState,
        error: dict[str, object] | None = None,
        *,
        actor: str = Source.FOLLOW_UP,
        unless: CompileState | None = None,
    ) -> bool:
        """See `file_records.set_compile_state`. On a database that is `read_only` nothing changes."""
        if self._database.read_only:
            return False
        async with self._database.write() as session:
            return await file_records.set_compile_state(session, model, state, error, actor=actor, unless=unless)

    @asynccontextmanager
    async def _write_name(self, name: str | None) -> AsyncIterator[AsyncSession]:
        """A write in which another process may store the same name first: that raises NameTaken."""
        try:
            async with self._database.write() as session:
                yield session
        except RowRefused as error:
            if name is not None and re.search(r"(unique|UNIQUE) constraint.*model_name", error.detail):
                raise NameTaken(f"The name {name!r} is taken.") from error
            raise

    async def _read(self, path: str) -> _FileContent:
        def read() -> _FileContent:
            facts, sidecar = self.files.read(path), self.files.read_sidecar(path)
            return _FileContent(facts, None if sidecar is None else self.files.backbones.pin(sidecar))

        return await run_sync(read)

    async def _read_new_file(self, model_id: int, columns: dict[str, Any]) -> _FileContent | None:
        """Normalize `file_path` in `columns` and read its file; drop it and return None when the row has it already."""
        path = columns["file_path"] = self.files.normalize_path(columns["file_path"])
        async with self._database.read() as session:
            model = (await rows.get(session, model_id)).model
        if self._is_same_path(model.file_path, path):
            del columns["file_path"]
            return None
        _refuse_active(model, "cannot be pointed at another file")
        return await self._read(path)

    def _is_same_path(self, stored: str, path: str) -> bool:
        """True when a row's path, which may have been written by hand, means the normalized `path`."""
        try:
            return self.files.normalize_path(stored) == path
        except PathRefused:
            return False

    async def _change_spec(self, session: AsyncSession, row: Row, change: PartialSpec | None) -> bool:
        """Change the given spec of the locked row; False when it says the same as before."""
        stored = row.record.given_spec if row.record else None
        recorded = read_recorded_spec(row.model, row.record.spec if row.record else None)
        given = read_recorded_spec(row.model, stored)
        if change is not None:
            change = await run_sync(self.files.fill_given, change, row.model.file_path)
        changed = change_given(given, change)
        if given_to_json(changed) == given_to_json(given):
            return False
        try:
            sidecar = await run_sync(self.files.read_sidecar_now, row.model.file_path, recorded)
        except SpecInvalid:  # the answer's notes say so
            sidecar = None
        await file_records.change_spec(session, row, changed, merge_specs(changed, sidecar, recorded))
        return True

    async def _answer(self, row: Row, values: Mapping[str, Any], examples: ExamplesSummary) -> ModelDetail:
        answer = (await self._answer_all([values]))[0]
        return await run_sync(add_details, self.files, self._store, row, answer, examples)

    async def _answer_all(self, found: Sequence[Mapping[str, Any]]) -> Sequence[ModelOut]:
        recorded = [(values["file_path"], read_facts(values)) for values in found]
        states = await run_sync(self.files.compare_all, recorded)
        return [to_answer(values, state) for values, state in zip(found, states, strict=True)]


def _to_past(moment: datetime) -> datetime:
    """Return a moment in UTC without a zone. Raises RequestInvalid for one in the future, or out of the calendar."""
    try:
        found = to_naive_utc(moment)
    except OverflowError:
        raise RequestInvalid(f"{moment} is no time that can be asked for.", remedy="Give a time of the past.") from None
    if found > utc_now():
        raise RequestInvalid(
            f"{moment.isoformat()} has not come yet: nobody knows which model will be live.",
            remedy="Give a time of the past, such as 2026-11-28T14:03:00Z. Without a zone it is UTC.",
        )
    return found


async def _apply_changes(session: AsyncSession, row: Row, changes: dict[str, Any], content: _FileContent | None) -> Row:
    stored = row.record.given_spec if row.record else None
    now = await rows.change(session, row.model.model_id, changes | {"updated_at": utc_now()})
    if "file_path" not in changes or content is None:
        return now
    given = read_recorded_spec(now.model, stored)
    record = await file_records.replace(session, now, content.facts, given=given, sidecar=content.sidecar)
    return Row(now.model, record)


def _refuse_active(model: MlModel, consequence: str) -> None:
    if model.is_active:
        raise ModelIsActive(f"Model {model.model_id} ({model.model_name}) is live and {consequence}.")
