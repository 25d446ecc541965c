"""An SQLite file that is deleted, replaced or restored beside an old log loses nothing unsaid."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from understudy.errors import DatabaseReplaced, DatabaseUnavailable
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.database.dialects import sqlite_file
from understudy.registry.database.dialects.sqlite_file import refuse_foreign_log
from understudy.registry.deployment import desired_state
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

_COUNT = text("UPDATE understudy_stage SET generation = generation + 1")


async def _count(database: Database) -> None:
    async with database.write() as session:
        await session.execute(_COUNT)


async def _read(database: Database) -> int:
    async with database.read() as session:
        return (await desired_state.poll(session)).generation


async def test_a_file_that_was_deleted_is_not_written_any_more_until_it_is_back(settings: Settings) -> None:
    file = settings.var_dir / "understudy.db"
    async with Database(settings) as database:
        await schema.migrate(database)
        away = file.rename(settings.home / "away.db")
        for attempt in (_count, _read):
            with pytest.raises(DatabaseReplaced, match=r"was deleted or moved .* Nothing was read or written"):
                await attempt(database)
        assert not file.exists()
        away.rename(file)
        await _count(database)
        assert await _read(database) == 1


async def test_a_file_that_was_replaced_is_neither_read_nor_written(settings: Settings) -> None:
    file = settings.var_dir / "understudy.db"
    async with Database(settings) as database:
        await schema.migrate(database)
        shutil.copy(file, settings.home / "other.db")
        os.replace(settings.home / "other.db", file)  # noqa: PTH105
        before = file.read_bytes()
        for attempt in (_count, _read):
            with pytest.raises(DatabaseReplaced, match="was replaced by another file"):
                await attempt(database)
        assert file.read_bytes() == before


async def test_a_change_that_went_into_a_replaced_file_is_not_acknowledged(settings: Settings) -> None:
    file = settings.var_dir / "understudy.db"

    async def count_while_it_is_replaced(database: Database) -> None:
        async with database.write() as session:
            await session.execute(_COUNT)
            file.rename(settings.home / "away.db")

    async with Database(settings) as database:
        await schema.migrate(database)
        with pytest.raises(DatabaseReplaced, match="went into the old file and is lost with it"):
            await count_while_it_is_replaced(database)


@pytest.mark.parametrize("name", ["understudy.db-wal", "understudy.db-shm"])
async def test_nothing_is_acknowledged_once_the_log_or_its_index_is_gone(settings: Settings, name: str) -> None:
    async with Database(settings) as database:
        await schema.migrate(database)
        await _count(database)
        (settings.var_dir / name).unlink()
        for attempt in (_count, _read):
            with pytest.raises(DatabaseReplaced, match=rf"{name} was deleted or replaced") as refused:
                await attempt(database)
        assert "SIGTERM" in str(refused.value.problem()["remedy"])
    async with Database(settings) as database:
        assert await _read(database) == 1


async def test_a_log_that_sqlite_itself_deleted_and_made_again_is_no_fault(settings: Settings) -> None:
    async with Database(settings) as database:
        await schema.migrate(database)
        await database._engine.dispose()  # the last connection closes
        assert not (settings.var_dir / "understudy.db-wal").exists()
        await _count(database)
        assert await _read(database) == 1


@pytest.mark.parametrize("evidence", ["log", "compiled"])
async def test_an_emptied_file_is_no_new_database(
    settings: Settings, evidence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_LOOK_SECONDS", 0.0)
    async with Database(settings) as database:
        await schema.migrate(database)
    (settings.var_dir / "understudy.db").write_bytes(b"")
    if evidence == "log":
        (settings.var_dir / "understudy.db-wal").write_bytes(bytes(4096))
    else:
        (settings.compiled_dir / "a").mkdir(parents=True)
    with pytest.raises(DatabaseReplaced, match="is empty, and this home had models before"):
        Database(settings)


async def test_an_empty_file_in_a_new_home_is_a_new_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_LOOK_SECONDS", 0.0)
    (settings.var_dir / "understudy.db").write_bytes(b"")
    async with Database(settings) as database:
        await schema.migrate(database)
        await _count(database)


async def test_a_disk_without_space_is_named(settings: Settings) -> None:
    async def fill(database: Database) -> None:
        async with database.write() as session:
            pages = await session.scalar(text("PRAGMA page_count"))
            await session.execute(text(f"PRAGMA max_page_count = {pages}"))
            await session.execute(text("CREATE TABLE big AS SELECT zeroblob(1000000) AS content"))

    async with Database(settings) as database:
        await schema.migrate(database)
        with pytest.raises(DatabaseUnavailable, match="has no space left: database or disk is full") as refusal:
            await fill(database)
        assert "Free space" in refusal.value.remedy
        assert await _read(database) == 0


class TestLogBesideTheFile:
    """A process that was killed leaves a log; so does a backup that is restored beside one."""

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite_file, "_CHECKPOINT_SECONDS", 0.0)

    @pytest.fixture
    def killed(self, settings: Settings) -> Path:
        """The file of a process that was killed with a change in its log."""
        source, file = settings.home / "source.db", settings.var_dir / "understudy.db"
        with closing(sqlite3.connect(source, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE kept (value)")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy(source, settings.home / "backup.db")
            connection.execute("INSERT INTO kept VALUES (1)")
            shutil.copy(source, file)
            shutil.copy(f"{source}-wal", f"{file}-wal")
        return file

    def _age_log(self, file: Path) -> None:
        """Change the file's own entry after that of its log."""
        while file.stat().st_ctime <= Path(f"{file}-wal").stat().st_ctime:
            file.touch()

    def test_the_log_of_a_killed_process_is_taken_up(self, killed: Path) -> None:
        Path(f"{killed}-wal").touch()
        refuse_foreign_log(killed)
        with closing(sqlite3.connect(killed)) as connection:
            assert connection.execute("SELECT value FROM kept").fetchall() == [(1,)]

    async def test_a_backup_restored_beside_an_old_log_is_refused_and_named(
        self, killed: Path, settings: Settings
    ) -> None:
        shutil.copy(settings.home / "backup.db", killed)
        self._age_log(killed)
        with pytest.raises(DatabaseReplaced, match=r"after understudy\.db-wal beside it was written") as refusal:
            Database(settings)
        assert "remove understudy.db-wal and understudy.db-shm" in refusal.value.remedy
        Path(f"{killed}-wal").touch()  # as the remedy says for a file that is no backup
        refuse_foreign_log(killed)

    def test_a_log_that_is_in_the_file_already_is_harmless(self, killed: Path) -> None:
        log = Path(f"{killed}-wal").read_bytes()
        with closing(sqlite3.connect(killed)) as connection:
            connection.execute("SELECT value FROM kept").fetchall()
        Path(f"{killed}-wal").write_bytes(log)  # closing the last connection has written it to the file
        self._age_log(killed)
        refuse_foreign_log(killed)

    def test_a_process_that_was_killed_while_it_emptied_the_log_is_taken_up(self, killed: Path) -> None:
        with killed.open("r+b") as file, Path(f"{killed}-wal").open("rb") as log:
            log.seek(32)
            number = int.from_bytes(log.read(4), "big")  # the only page
            log.seek(32 + 24)
            file.seek((number - 1) * 4096)
            file.write(log.read(4096))
        self._age_log(killed)
        refuse_foreign_log(killed)

    @pytest.mark.parametrize("content", [b"", b"\0" * 32, b"no log at all" * 100])
    def test_what_is_no_log_is_left_to_sqlite(self, killed: Path, content: bytes) -> None:
        Path(f"{killed}-wal").write_bytes(content)
        self._age_log(killed)
        refuse_foreign_log(killed)
