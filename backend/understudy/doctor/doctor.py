"""What is wrong with an installation, and its repair: `understudy doctor`.

Model files and rows are never deleted. Compiled forms are: they are made again from the files when they are needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor import (
    backbone_check,
    compiled_store_check,
    folders_check,
    model_files_check,
    replicas_check,
    tables_check,
)
from understudy.doctor.finding import Finding, FindingState
from understudy.errors import DatabaseUnavailable, Misconfigured
from understudy.registry.database.database import Database
from understudy.registry.models import rows
from understudy.registry.models.rows import Row
from understudy.registry.registry import Registry
from understudy.settings import Settings

OnStep = Callable[[str], None]

# With one of these open, the rows cannot be read.
_FIRST = {"not_migrated", "table_unusable", "column_missing", "stage_row_missing"}


@dataclass(frozen=True)
class DoctorReport:
    looked_at: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def left(self) -> tuple[Finding, ...]:
        """Findings that still need someone."""
        return tuple(finding for finding in self.findings if finding.state is FindingState.OPEN)

    def document(self) -> dict[str, object]:
        """As plain JSON values."""
        return {"looked_at": list(self.looked_at), "findings": [asdict(finding) for finding in self.findings]}


class Doctor:
    """Looks at folders, tables_check, model files, compiled store, backbone and servers of one home folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._looked: list[str] = []
        self._found: list[Finding] = []

    async def examine(self, *, fix: bool, on_step: OnStep = lambda _: None) -> DoctorReport:
        """Every finding; with `fix` repaired where that loses nothing. Never raises for what it came to find."""
        self._looked, self._found = [], []

        def looked(what: str) -> None:
            self._looked.append(what)
            on_step(what)

        looked("folders")
        self._found += await run_sync(lambda: list(folders_check.look(self._settings, fix=fix)))
        looked("database")
        try:
            if self._unmade(fix=fix):
                self._found.append(self._not_migrated())
            else:
                await self._database(looked, fix=fix)
        except (DatabaseUnavailable, Misconfigured) as error:
            self._found.append(Finding(error.code, "database", error.detail, error.remedy))
        return DoctorReport(tuple(self._looked), tuple(self._found))

    def _unmade(self, *, fix: bool) -> bool:
        """Looking must not be what creates an SQLite file."""
        return not fix and self._settings.database_url is None and not self._sqlite.exists()

    @property
    def _sqlite(self) -> Path:
        return self._settings.var_dir / "understudy.db"

    def _not_migrated(self) -> Finding:
        return Finding(
            "not_migrated",
            str(self._sqlite),
            "The database does not exist yet.",
            "Create it: understudy migrate (`understudy serve` does so by itself)",
        )

    async def _database(self, looked: OnStep, *, fix: bool) -> None:
        async with Database(self._settings) as database:
            schema = await tables_check.look(database, fix=fix)
            self._found += schema
            if any(each.code in _FIRST and each.state is FindingState.OPEN for each in schema):
                return
            registry = Registry(self._settings, database)
            looked("model files")
            rows, unreadable = model_files_check.readable(await _rows(database))
            self._found += unreadable
            self._found += await model_files_check.look(
                registry, CompiledStore(self._settings.compiled_dir), rows, fix=fix
            )
            rows, unreadable = model_files_check.readable(await _rows(database))
            if not unreadable:  # else nobody can tell which compiled forms are needed
                looked("compiled store")
                self._found += await compiled_store_check.look(self._settings, database, rows, fix=fix)
            looked("backbone")
            self._found += await run_sync(lambda: list(backbone_check.check(self._settings, rows)))
            looked("servers")
            self._found += await replicas_check.look(self._settings, database)


async def _rows(database: Database) -> Sequence[Row]:
    async with database.read() as session:
        return await rows.list_all(session)
