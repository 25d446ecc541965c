"""Use-case that copies a foreign table of models into `ml_models`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from anyio.to_thread import run_sync
from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict, DatabaseUnavailable, RequestInvalid, RowRefused, UnderstudyError
from understudy.migrations.revision import NEWEST, read_revision
from understudy.models import History, ImportedRow, MlModel, utc_now
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.database.time_zone import read_zone
from understudy.registry.deployment import desired_state
from understudy.registry.files.model_files import FileFacts, ModelFiles
from understudy.registry.models import file_records
from understudy.registry.models.history import model_history
from understudy.registry.models.table import rows
from understudy.registry.table_import.column_map import parse_map
from understudy.registry.table_import.import_plan import ImportPlan, PlannedRow, Present, RowFate, build_plan
from understudy.registry.table_import.source_table import SourceRow, SourceTable, find_source
from understudy.schemas.compiler.spec import PartialSpec
from understudy.settings import Settings

_HIGHEST_NAMED = 20


@dataclass(frozen=True)
class _ReadFile:
    """A model file that can be registered, with the spec beside it."""

    facts: FileFacts
    sidecar: PartialSpec | None


class TableImport:
    """Imports rows of one foreign table of the same database.

    `table` may be written with its schema. `given` are the values of --map. Raises RequestInvalid for a table or a map
    that cannot be used.
    """

    def __init__(self, settings: Settings, database: Database, table: str, given: Iterable[str]) -> None:
        self._database = database
        self._files = ModelFiles(settings)
        self._table = table
        self._given = parse_map(given)
        # By the path as the table spells it, and by the path as it is stored.
        self._outcomes: dict[str, _ReadFile | UnderstudyError] = {}
        self._files_by_path: dict[str, _ReadFile] = {}

    async def plan(self) -> ImportPlan:
        """Return what `apply` would copy; write nothing.

        Raises RequestInvalid, and DatabaseUnavailable for an `ml_models` that is not migrated.
        """
        async with self._database.read(seconds=self._database.long_seconds) as session:
            source, rows = await self._read_source(session)
        await run_sync(self._read_files, source, rows)
        async with self._database.read(seconds=self._database.long_seconds) as session:
            return await self._build(session, source, rows)

    async def apply(self, actor: str, *, skip_unfit: bool = False) -> ImportPlan:
        """Copy the rows that were not imported before, in one transaction with their history.

        No model becomes active. Raises RequestInvalid, with one note for each row, when a row does not fit and
        `skip_unfit` is not set, and Conflict when the tables changed meanwhile. After an error nothing is written.
        """
        async with self._database.read(seconds=self._database.long_seconds) as session:
            source, rows = await self._read_source(session)
        await run_sync(self._read_files, source, rows)
        await schema.migrate(self._database)
        try:
            async with self._database.write(seconds=self._database.long_seconds) as session:
                await desired_state.lock(session)
                if self._database.kind == "postgresql":
                    await session.execute(text("LOCK TABLE ml_models IN SHARE ROW EXCLUSIVE MODE"))
                source, rows = await self._read_source(session)
                plan = await self._build(session, source, rows)
                unfit = plan.list_rows(RowFate.UNFIT)
                if unfit and not skip_unfit:
                    raise _build_refusal(plan, unfit)
                copied = [await self._copy(session, plan.source, row, actor) for row in plan.list_rows(RowFate.COPY)]
                await _advance_sequence(session)
        except RowRefused as error:
            raise RowRefused(
                f"Nothing was imported. {error.detail}",
                remedy=f"Correct what the message names, then run the command again. {error.remedy}",
            ) from error
        by_key = {row.key: row for row in copied}
        return replace(plan, applied=True, rows=tuple(by_key.get(row.key, row) for row in plan.rows))

    async def _read_source(self, session: AsyncSession) -> tuple[SourceTable, list[SourceRow]]:
        def read(connection: Connection) -> tuple[SourceTable, list[SourceRow]]:
            source = find_source(connection, self._table, self._given)
            return source, source.read_rows(connection)

        return await (await session.connection()).run_sync(read)

    def _read_files(self, source: SourceTable, rows: Sequence[SourceRow]) -> None:
        """Read every file that the rows name: hashing large files must not hold the transaction open."""
        column = source.columns_map.columns["file_path"][0]
        for path in {row.values[column] for row in rows if isinstance(row.values[column], str)} - self._outcomes.keys():
            try:
                normal = self._files.normalize_path(path)
                found = _ReadFile(self._files.read(normal), self._files.read_sidecar(normal))
            except UnderstudyError as error:
                self._outcomes[path] = error
            else:
                self._outcomes[path] = self._files_by_path[normal] = found

    def _check_file(self, path: str) -> str:
        found = self._outcomes.get(path)
        if found is None:
            raise Conflict(f"{path} was not read: it is not a text, or the table changed meanwhile.")
        if isinstance(found, UnderstudyError):
            raise found
        return found.facts.path

    async def _build(self, session: AsyncSession, source: SourceTable, rows: Sequence[SourceRow]) -> ImportPlan:
        present = await _read_present(session, source.name)
        return build_plan(source, rows, present, self._check_file, await read_zone(session))

    async def _copy(self, session: AsyncSession, source: str, row: PlannedRow, actor: str) -> PlannedRow:
        now = utc_now()
        columns = {"created_at": now, "updated_at": now} | row.columns | {"is_active": False}
        if row.model_id is not None:
            columns["model_id"] = row.model_id
        model = (await rows.insert(session, columns)).model
        file = self._files_by_path[model.file_path]
        session.add(file_records.build_record(model, file.facts, given=None, sidecar=file.sidecar))
        session.add(ImportedRow(source_table=source, source_key=row.key, model_id=model.model_id, imported_at=now))
        await session.flush()
        renamed = f", there called {row.source_name!r}" if row.source_name != model.model_name else ""
        detail = f"Imported from {source}, row {row.source_key}{renamed}."
        await model_history.record_registration(session, model, file.facts.digest, actor=actor, detail=detail)
        return replace(row, model_id=model.model_id)


def _build_refusal(plan: ImportPlan, unfit: Sequence[PlannedRow]) -> RequestInvalid:
    error = RequestInvalid(
        f"{len(unfit)} of {len(plan.rows)} rows of {plan.source} do not fit, so nothing was imported.",
        remedy="Correct these rows or the --map, or add --skip-unfit to import the others. Without --apply the command"
        " shows every row.",
    )
    for row in unfit[:_HIGHEST_NAMED]:
        error.add_note(f"Row {row.source_key} ({row.source_name}): {' '.join(row.reasons)}")
    if len(unfit) > _HIGHEST_NAMED:
        error.add_note(f"And {len(unfit) - _HIGHEST_NAMED} more rows.")
    return error


async def _read_present(session: AsyncSession, source: str) -> Present:
    connection = await session.connection()
    has_models, revision = await connection.run_sync(
        lambda bare: (inspect(bare).has_table(MlModel.__tablename__), read_revision(bare))
    )
    if revision != NEWEST:
        if has_models:
            raise DatabaseUnavailable(
                f"ml_models exists and is not migrated to revision {NEWEST}, so the names that it holds are not known.",
                remedy="Run `understudy migrate`, or the same command with --apply, which migrates first.",
            )
        return Present()
    imported = await session.scalars(select(ImportedRow).where(ImportedRow.source_table == source))
    models = (await session.execute(select(MlModel.model_id, MlModel.model_name))).all()
    past = await session.scalars(select(History.model_id).where(History.model_id.is_not(None)).distinct())
    return Present(
        names={name for _, name in models},
        ids={model_id for model_id, _ in models},
        used_ids={model_id for model_id in past if model_id is not None},
        imported={row.source_key: row.model_id for row in imported},
        may_choose_ids=await _may_choose_ids(session),
    )


# An id that is given does not advance the sequence: that must be possible afterwards.
_READ_SEQUENCE = text("""
    SELECT pg_get_serial_sequence('ml_models', 'model_id') IS NOT NULL AND attidentity <> 'a'
    FROM pg_attribute WHERE attrelid = to_regclass('ml_models') AND attname = 'model_id'
""")


async def _may_choose_ids(session: AsyncSession) -> bool:
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(await session.scalar(_READ_SEQUENCE))


async def _advance_sequence(session: AsyncSession) -> None:
    """Let the sequence of `model_id` go on after the highest id that was given."""
    if session.get_bind().dialect.name != "postgresql":
        return
    name = await session.scalar(select(func.pg_get_serial_sequence("ml_models", "model_id")))
    highest = await session.scalar(select(func.max(MlModel.model_id)))
    if name is None or highest is None:
        return
    await session.execute(
        text(
            "SELECT setval(CAST(:name AS regclass), :highest)"
            " WHERE coalesce(pg_sequence_last_value(CAST(:name AS regclass)), 0) < :highest"
        ),
        {"name": name, "highest": highest},
    )
