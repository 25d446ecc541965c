"""Examines an installation and repairs it: `understudy doctor`.

Model files and rows are never deleted. Compiled models are: they are made again from the model files when needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor import (
    backbone_check,
    clock_check,
    compiled_store_check,
    examples_check,
    folders_check,
    history_check,
    model_files_check,
    names_check,
    replicas_check,
    tables_check,
)
from understudy.doctor.finding import Finding, FindingState
from understudy.errors import DatabaseUnavailable, Misconfigured
from understudy.migrations import Repair
from understudy.registry.database.database import Database
from understudy.registry.models.table import rows
from understudy.registry.models.table.rows import Row
from understudy.registry.registry import Registry
from understudy.settings import Settings

OnStep = Callable[[str], None]

# While one of these is open, the rows cannot be read.
_BLOCKING = {
    "not_migrated",
    "table_refused",
    "misconfigured",
    "column_missing",
    "stage_row_missing",
}


@dataclass(frozen=True)
class DoctorReport:
    """The steps that were run, and everything that they found."""

    looked_at: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def left(self) -> tuple[Finding, ...]:
        """The findings that a person has to deal with."""
        return tuple(finding for finding in self.findings if finding.state is FindingState.OPEN)

    def to_document(self) -> dict[str, object]:
        """Return the report as plain JSON values."""
        return {"looked_at": list(self.looked_at), "findings": [asdict(finding) for finding in self.findings]}


class Doctor:
    """Checks folders, tables, model files, compiled store, backbone and servers of one home folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._steps: list[str] = []
        self._findings: list[Finding] = []

    async def examine(
        self, *, fix: bool, keep_active: int | None = None, on_step: OnStep = lambda _: None
    ) -> DoctorReport:
        """Run every check and return the findings; with `fix`, repair what can be repaired without losing data.

        Without `fix` nothing is written. Of several active rows, `keep_active` names the one that a fix keeps active.
        `on_step` is called with the name of each step before it runs. An outage of the database is a finding, not an
        error. Raises RequestInvalid when the row of `keep_active` is not active.
        """
        self._steps, self._findings = [], []

        def begin(step: str) -> None:
            self._steps.append(step)
            on_step(step)

        begin("folders")
        self._findings += await run_sync(lambda: list(folders_check.check(self._settings, fix=fix)))
        begin("database")
        try:
            if fix or self._settings.database_url is not None or self._sqlite_file.exists():
                await self._examine_database(begin, fix=fix, keep_active=keep_active)
            else:  # opening the database would create its file
                self._findings.append(self._build_not_migrated())
        except (DatabaseUnavailable, Misconfigured) as error:
            self._findings.append(Finding(error.code, "database", error.detail, error.remedy))
        return DoctorReport(tuple(self._steps), tuple(self._findings))

    @property
    def _sqlite_file(self) -> Path:
        return self._settings.var_dir / "understudy.db"

    def _build_not_migrated(self) -> Finding:
        return Finding(
            "not_migrated",
            str(self._sqlite_file),
            "The database does not exist yet.",
            "Create it: understudy migrate (`understudy serve` also creates it)",
        )

    async def _examine_database(self, begin: OnStep, *, fix: bool, keep_active: int | None) -> None:
        async with Database(self._settings, read_only=not fix) as database:
            repair = Repair(change_rows=True, keep_active=keep_active) if fix else None
            findings = await tables_check.check(database, repair)
            self._findings += findings
            # Several active rows stop a fix before the tables are migrated.
            blocking = _BLOCKING | {"several_active"} if fix else _BLOCKING
            if any(each.code in blocking and each.state is FindingState.OPEN for each in findings):
                return
            begin("history")
            self._findings += await history_check.check(database)
            begin("model files")
            found = await _list_rows(database)
            self._findings += names_check.check(found)
            readable, unreadable = model_files_check.split_readable(found)
            self._findings += unreadable
            store = CompiledStore(self._settings.compiled_dir)
            registry = Registry(self._settings, database)
            self._findings += await model_files_check.check(registry, store, readable, fix=fix)
            # The fix may have read files and written their records.
            readable, unreadable = model_files_check.split_readable(await _list_rows(database))
            if not unreadable:  # a record that cannot be read may need any entry of the store
                begin("compiled store")
                self._findings += await compiled_store_check.check(self._settings, database, readable, fix=fix)
            begin("examples")
            self._findings += await examples_check.check(self._settings, database, readable, fix=fix)
            begin("backbone")
            self._findings += await run_sync(lambda: list(backbone_check.check(self._settings, readable)))
            begin("servers")
            self._findings += await clock_check.check(database)
            self._findings += await replicas_check.check(self._settings, database)


async def _list_rows(database: Database) -> Sequence[Row]:
    async with database.read(seconds=database.long_seconds) as session:
        return await rows.list_all(session)
