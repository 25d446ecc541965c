"""Use-cases on the set of registered models; which of them is live is the stage's business."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from anyio.to_thread import run_sync
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict, ModelIsActive, NameTaken, PathRefused
from understudy.models import CompileState, HistoryEvent, MlModel, utc_now
from understudy.registry.database.column_values import read_columns, refuse_nul
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.files.model_files import FileFacts, FileState, ModelFiles
from understudy.registry.models import file_records, listing, model_history, rows
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.row_view import read_facts, select_values, shown
from understudy.registry.models.rows import Row
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.deletion import ModelDeleted
from understudy.schemas.registry.model import (
    HistoryPage,
    ModelCreate,
    ModelList,
    ModelOut,
    ModelUpdate,
)
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings


class Registry:
    """Every method raises DatabaseUnavailable for an outage; `actor` is who asked, as the history shows it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self.files = ModelFiles(settings)
        # Counts the changes to existing rows that this process has committed.
        self.revision = 0

    async def register(self, request: ModelCreate, actor: str) -> ModelOut:
        """Add a model whose file is there already, inactive.

        Raises PathRefused, FileMissing, FormatUnknown (a folder that is no SavedModel), TooLarge, FileChanged (still
        being written), SpecInvalid (sidecar), NameTaken and RequestInvalid; none of them leaves anything behind.
        """
        columns = read_columns(request)
        refuse_nul("spec", request.spec and request.spec.model_dump())
        columns["file_path"] = path = self.files.normalize_path(request.file_path)
        facts, sidecar = await self._read(path)
        now = utc_now()
        async with self._writing(request.model_name) as session:
            await rows.refuse_taken_name(session, request.model_name)
            model = MlModel(**columns, created_at=now, updated_at=now, is_active=False)
            if (model_id := await rows.next_id(session)) is not None:
                model.model_id = model_id
            session.add(model)
            await session.flush()
            record = file_records.evidence(model, facts, given=request.spec, sidecar=sidecar)
            session.add(record)
            await session.flush()
            await model_history.record(session, HistoryEvent.REGISTERED, model.model_id, actor=actor)
        return shown(select_values(Row(model, record)), FileState(exists=True, changed=False, bytes=facts.bytes))

    async def update(self, model_id: int, request: ModelUpdate, actor: str) -> ModelOut:
        """Change the fields that are present. A new `file_path` is read anew, with its sidecar.

        Raises ModelNotFound, NameTaken, ModelIsActive (new path for the active model) and what `register` raises for
        the path.
        """
        wanted = read_columns(request)
        facts: FileFacts | None = None
        sidecar: PartialSpec | None = None
        if "file_path" in wanted:
            wanted["file_path"] = self.files.normalize_path(wanted["file_path"])
            async with self._database.read() as session:
                present = (await rows.get(session, model_id)).model
            if self._same(present.file_path, wanted["file_path"]):
                del wanted["file_path"]
            else:
                _refuse_active(present, "cannot be pointed at another file")
                facts, sidecar = await self._read(wanted["file_path"])
        async with self._writing(wanted.get("model_name")) as session:
            await desired_state.lock(session)
            row = await rows.get(session, model_id, for_update=True)
            changes = {name: value for name, value in wanted.items() if getattr(row.model, name) != value}
            if "model_name" in changes:
                await rows.refuse_taken_name(session, changes["model_name"], but=model_id)
            if "file_path" in changes:
                _refuse_active(row.model, "cannot be pointed at another file")
            if changes:
                row = await _changed(session, row, changes, facts, sidecar)
                said = ", ".join(sorted(changes))
                await model_history.record(
                    session, HistoryEvent.UPDATED, model_id, actor=actor, detail=f"Changed: {said}."
                )
        self.revision += 1
        return (await self._shown([select_values(row)]))[0]

    async def delete(self, model_id: int, actor: str) -> ModelDeleted:
        """Delete the record; the file stays. Raises ModelNotFound and ModelIsActive."""
        async with self._database.write() as session:
            await desired_state.lock(session)
            model = (await rows.get(session, model_id, for_update=True)).model
            _refuse_active(model, "cannot be deleted")
            await model_history.record(session, HistoryEvent.DELETED, model_id, actor=actor)
            await session.delete(model)
        self.revision += 1
        return ModelDeleted(
            model_id=model_id,
            model_name=model.model_name,
            file_path=model.file_path,
            detail=f"The record of model {model_id} is deleted; the file {model.file_path} was not touched.",
        )

    async def get(self, model_id: int) -> ModelOut:
        """Raises ModelNotFound."""
        async with self._database.read() as session:
            row = await rows.get(session, model_id)
        return (await self._shown([select_values(row)]))[0]

    async def active(self) -> ModelOut | None:
        async with self._database.read() as session:
            row = await rows.active(session)
        return None if row is None else (await self._shown([select_values(row)]))[0]

    async def history(
        self,
        model_id: int | None = None,
        *,
        event: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> HistoryPage:
        """Newest first, of one model (deleted ones too) or of all.

        Raises ModelNotFound for a model that never was, RequestInvalid for a foreign cursor.
        """
        refuse_nul("event", event)
        if model_id is not None:
            rows.refuse_impossible_id(model_id)
        async with self._database.read() as session:
            found = await model_history.page(session, model_id=model_id, event=event, limit=limit, cursor=cursor)
            if model_id is not None and not found.entries and event is None and cursor is None:
                await rows.get(session, model_id)
        return found

    async def ensure_file_record(self, model_id: int) -> RegisteredFile:
        """The evidence about a model's file; for a row made by hand it is taken now.

        Raises ModelNotFound, and what `register` raises for the path when the file has to be read.
        """
        async with self._database.read() as session:
            row = await rows.get(session, model_id)
        if row.record is not None:
            return RegisteredFile.of(row.model, row.record)
        facts, sidecar = await self._read(row.model.file_path)
        async with self._database.write() as session:
            now = await rows.get(session, model_id, for_update=True)
            if now.record is not None:
                return RegisteredFile.of(now.model, now.record)
            if now.model.file_path != row.model.file_path:
                raise Conflict(f"Model {model_id} was pointed at another file meanwhile.")
            record = await file_records.put(session, now, facts, given=None, sidecar=sidecar)
        return RegisteredFile.of(now.model, record)

    async def set_compile_state(
        self,
        model_id: int,
        digest: str,
        state: CompileState,
        error: dict[str, object] | None = None,
        *,
        actor: str = "server",
    ) -> bool:
        """See `file_records.set_compile_state`."""
        async with self._database.write() as session:
            return await file_records.set_compile_state(session, model_id, digest, state, error, actor=actor)

    async def list(self, query: ModelQuery) -> ModelList:
        """One page and the active model; raises RequestInvalid for a foreign cursor."""
        refuse_nul("q", query.q)
        refuse_nul("type", query.type)
        async with self._database.read() as session:
            page = await listing.page(session, query)
            active = await rows.active(session)
        shown_rows = await self._shown(page.rows if active is None else [*page.rows, select_values(active)])
        return ModelList(
            models=shown_rows[: len(page.rows)],
            active_model=None if active is None else shown_rows[-1],
            next_cursor=page.next_cursor,
            total=page.total,
        )

    @asynccontextmanager
    async def _writing(self, name: str | None) -> AsyncIterator[AsyncSession]:
        """A write in which a race for the name ends as NameTaken."""
        try:
            async with self._database.write() as session:
                yield session
        except IntegrityError as error:
            said = str(error.orig).strip().partition("\n")[0]
            if "model_name" in said:
                raise NameTaken(f"The name {name!r} is taken.") from error
            raise Conflict(f"The database refused the row: {said}.", remedy="Run `understudy doctor`.") from error

    async def _read(self, path: str) -> tuple[FileFacts, PartialSpec | None]:
        return await run_sync(lambda: (self.files.read(path), self.files.sidecar(path)))

    async def _shown(self, found: Sequence[Mapping[str, Any]]) -> Sequence[ModelOut]:
        states = await run_sync(self.files.states, [(values["file_path"], read_facts(values)) for values in found])
        return [shown(values, state) for values, state in zip(found, states, strict=True)]

    def _same(self, stored: str, path: str) -> bool:
        """Whether a row's path, which may have been written by hand, means the normalised `path`."""
        try:
            return self.files.normalize_path(stored) == path
        except PathRefused:
            return False


async def _changed(
    session: AsyncSession, row: Row, changes: dict[str, Any], facts: FileFacts | None, sidecar: PartialSpec | None
) -> Row:
    for name, value in (changes | {"updated_at": utc_now()}).items():
        setattr(row.model, name, value)
    await session.flush()
    if "file_path" not in changes or facts is None:
        return row
    given = row.record.given_spec if row.record else None
    record = await file_records.put(
        session, row, facts, given=file_records.read_recorded_spec(row.model, given), sidecar=sidecar
    )
    return Row(row.model, record)


def _refuse_active(model: MlModel, consequence: str) -> None:
    if model.is_active:
        raise ModelIsActive(f"Model {model.model_id} ({model.model_name}) is live and {consequence}.")
