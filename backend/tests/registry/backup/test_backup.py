"""A backup holds rows and files of one moment, and is restored whole or not at all."""

import asyncio
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.postgres import ByHand, only_postgresql, only_sqlite
from tests.registry.types import Add
from understudy.access.access import Access
from understudy.access.credentials.credential import Credential
from understudy.errors import BackupInvalid, Conflict, FileExists, Misconfigured, NotSignedIn
from understudy.migrations.own_tables import OWN_TABLES
from understudy.models import HistoryEvent
from understudy.registry import schema
from understudy.registry.backup import archive_writer, table_rows
from understudy.registry.backup.archive_writer import ArchiveWriter
from understudy.registry.backup.backup import back_up
from understudy.registry.backup.restore import restore
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.models.history import model_history
from understudy.registry.models.history.chain_audit import audit
from understudy.registry.registry import Registry
from understudy.schemas.access.account import KeyCreate
from understudy.schemas.access.role import Role
from understudy.schemas.registry.backup import BackupReport
from understudy.schemas.registry.model_query import ModelQuery
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

VERSION = "1.2.3"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "understudy.tar"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    """An empty home on SQLite."""
    home = tmp_path / "elsewhere"
    (home / "var").mkdir(parents=True)
    return Settings(home=home)


async def save(settings: Settings, database: Database, archive: Path, *, compiled: bool = False) -> BackupReport:
    return await back_up(settings, database, archive, compiled=compiled, version=VERSION)


async def restore_into(settings: Settings, archive: Path) -> BackupReport:
    async with Database(settings) as database:
        return await restore(settings, database, archive)


async def read_all(settings: Settings, database: Database) -> tuple[object, object, object]:
    """Return the models, the history and the deployment, as the API shows them."""
    registry = Registry(settings, database)
    models = [each.model_dump(exclude={"file"}) for each in (await registry.list(ModelQuery())).models]
    history = [each.model_dump() for each in (await registry.list_history()).entries]
    async with database.read() as session:
        assert (await audit(session)).fault is None
        return models, history, await desired_state.read_desired(session)


async def test_restored_elsewhere_everything_is_as_it_was(
    database: Database, database_settings: Settings, add: Add, archive: Path, elsewhere: Settings
) -> None:
    first = await add("one", accuracy=0.123, description="ünïcode\n'quoted'")
    await add("two", version="2")
    async with database.write() as session:
        await desired_state.switch(session, first.model_id, actor="test")
    spec = database_settings.models_dir / "one.spec.json"
    spec.write_text("{}")
    (database_settings.models_dir / ".upload-1").write_text("half")
    clip = database_settings.examples_dir / "ab" / "cd"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"clip")
    report = await save(database_settings, database, archive)
    assert report.warnings == ()
    assert archive.stat().st_mode & 0o777 == 0o600
    restored = await restore_into(elsewhere, archive)
    assert (restored.tables, restored.files) == (report.tables, report.files)
    assert (elsewhere.models_dir / "one.onnx").read_text() == "one"
    assert (elsewhere.models_dir / "one.spec.json").read_text() == "{}"
    assert not (elsewhere.models_dir / ".upload-1").exists()
    assert (elsewhere.examples_dir / "ab" / "cd").read_bytes() == b"clip"
    async with Database(elsewhere) as there:
        assert await read_all(elsewhere, there) == await read_all(database_settings, database)
        await schema.migrate(there)
        added = await Registry(elsewhere, there).list_history(event=HistoryEvent.ACTIVATED)
        assert len(added.entries) == 1, "the restored deployment is no change by hand"


@only_postgresql
async def test_a_backup_of_sqlite_is_restored_on_postgresql_and_numbers_go_on(
    database_settings: Settings, elsewhere: Settings, archive: Path
) -> None:
    elsewhere.models_dir.mkdir()
    (elsewhere.models_dir / "a.onnx").write_text("a")
    async with Database(elsewhere) as database:
        await schema.migrate(database)
        async with database.write() as session:
            await session.execute(
                text("INSERT INTO ml_models (model_id, model_name, file_path) VALUES (41, 'a', 'models/a.onnx')")
            )
        await save(elsewhere, database, archive)
    await restore_into(database_settings, archive)
    async with Database(database_settings) as database, database.write() as session:
        added = await session.execute(
            text("INSERT INTO ml_models (model_name, file_path) VALUES ('b', 'models/b.onnx') RETURNING model_id")
        )
        assert added.scalar_one() == 42


async def test_columns_of_the_user_are_kept_where_the_table_has_them(
    database: Database, database_settings: Settings, add: Add, by_hand: ByHand, archive: Path, elsewhere: Settings
) -> None:
    await add("one")
    by_hand("ALTER TABLE ml_models ADD COLUMN threshold NUMERIC")
    by_hand("UPDATE ml_models SET threshold = 0.75")
    await save(database_settings, database, archive)
    restored = await restore_into(elsewhere, archive)
    assert [warning for warning in restored.warnings if "threshold" in warning]
    again = elsewhere.model_copy(update={"home": elsewhere.home.parent / "again"})
    again.var_dir.mkdir(parents=True)
    async with Database(again) as there:
        await schema.migrate(there)
        async with there.write() as session:
            await session.execute(text("ALTER TABLE ml_models ADD COLUMN threshold NUMERIC"))
        assert (await restore(again, there, archive)).warnings == ()
        async with there.read() as session:
            assert float(await session.scalar(text("SELECT threshold FROM ml_models")) or 0) == 0.75


async def test_what_cannot_be_saved_is_said(
    database: Database, database_settings: Settings, add: Add, archive: Path, tmp_path: Path
) -> None:
    await add("gone")
    await add("changed")
    models = database_settings.models_dir
    (models / "gone.onnx").unlink()
    (models / "changed.onnx").write_text("another")
    (tmp_path / "outside").write_text("secret")
    (models / "link.onnx").symlink_to(tmp_path / "outside")
    report = await save(database_settings, database, archive)
    assert len(report.warnings) == 3
    for words in ("gone.onnx is missing", "changed.onnx is not the file", "link.onnx is a link that leads out"):
        assert any(words in warning for warning in report.warnings), words
    with tarfile.open(archive) as tar:
        assert b"secret" not in archive.read_bytes()
        assert not [name for name in tar.getnames() if "link" in name]


async def test_an_existing_archive_is_not_replaced(
    database: Database, database_settings: Settings, archive: Path
) -> None:
    archive.write_text("another backup")
    with pytest.raises(FileExists):
        await save(database_settings, database, archive)
    assert archive.read_text() == "another backup"


async def test_nothing_is_overwritten(
    database: Database, database_settings: Settings, add: Add, archive: Path, elsewhere: Settings
) -> None:
    await add("one")
    await save(database_settings, database, archive)
    elsewhere.models_dir.mkdir()
    place = elsewhere.models_dir / "one.onnx"
    place.write_text("mine")
    with pytest.raises(FileExists, match=r"one\.onnx"):
        await restore_into(elsewhere, archive)
    assert place.read_text() == "mine"
    place.write_text("one")
    await restore_into(elsewhere, archive)
    with pytest.raises(Conflict, match="ml_models"):
        await restore_into(elsewhere, archive)


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2 // 512 * 512]


def flip(content: bytes) -> bytes:
    at = content.index(b"THE MODEL")
    return content[:at] + b"the" + content[at + 3 :]


def write_member(name: str, *, link: bool = False) -> Callable[[bytes], bytes]:
    """Returns a change that puts another entry first."""

    def change(content: bytes) -> bytes:
        entry = tarfile.TarInfo(name)
        if link:
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        return entry.tobuf(tarfile.PAX_FORMAT) + content

    return change


@pytest.mark.parametrize(
    "change",
    [
        cut,
        flip,
        lambda _: b"no tar",
        lambda _: b"",
        write_member("../outside"),
        write_member("files/../../outside"),
        write_member("/outside"),
        write_member("files/models/link", link=True),
        write_member("files/models/more.onnx"),
    ],
    ids=["cut", "changed", "text", "empty", "up", "up inside", "absolute", "link", "not listed"],
)
async def test_a_damaged_archive_restores_nothing(
    change: Callable[[bytes], bytes], tmp_path: Path, archive: Path, elsewhere: Settings
) -> None:
    home = tmp_path / "from"
    (home / "var").mkdir(parents=True)
    (home / "models").mkdir()
    (home / "models" / "one.onnx").write_text("THE MODEL" * 1000)
    settings = Settings(home=home)
    async with Database(settings) as database:
        await schema.migrate(database)
        await save(settings, database, archive)
    archive.write_bytes(change(archive.read_bytes()))
    with pytest.raises(BackupInvalid):
        await restore_into(elsewhere, archive)
    assert not elsewhere.models_dir.exists()
    assert not list(elsewhere.var_dir.glob(".restore-*"))
    assert not (tmp_path / "outside").exists()


async def test_a_backup_of_a_later_version_is_refused(
    database: Database, database_settings: Settings, archive: Path, elsewhere: Settings
) -> None:
    await save(database_settings, database, archive)
    later = archive.with_name("later.tar")
    with tarfile.open(archive) as source, ArchiveWriter(later) as writer:
        manifest = json.loads(source.extractfile("manifest.json").read())  # type: ignore[union-attr]
        writer._tables, writer._files = [], []
        writer.finish("sqlite", VERSION)
        content = later.read_bytes()
    revision = manifest["revision"]
    later.write_bytes(content.replace(f'"revision": "{revision}"'.encode(), b'"revision": "9999"'))
    with pytest.raises(Misconfigured, match="9999"):
        await restore_into(elsewhere, later)


async def test_a_backup_of_an_earlier_version_is_restored(
    database: Database,
    database_settings: Settings,
    add: Add,
    archive: Path,
    elsewhere: Settings,
    by_hand: ByHand,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add("one")
    by_hand("UPDATE understudy_history SET position = NULL, previous_hash = NULL, entry_hash = NULL")
    later = {"understudy_keys", "understudy_principals", "understudy_history_head"}
    before = tuple(name for name in OWN_TABLES if name not in later)
    with monkeypatch.context() as earlier:
        earlier.setattr(archive_writer, "NEWEST", "0006")
        earlier.setattr(table_rows, "OWN_TABLES", before)
        await save(database_settings, database, archive)
    restored = await restore_into(elsewhere, archive)
    assert restored.tables["ml_models"] == 1
    assert len(restored.warnings) == 3
    assert all("of revision 0006 has no understudy_" in warning for warning in restored.warnings)
    async with Database(elsewhere) as other, other.read() as session:
        assert (await audit(session)).fault is None
        sealed, registered = (await model_history.read_page(session)).entries
    assert (sealed.event, registered.event) == ("sealed", "registered")
    assert str(sealed.detail).startswith("The restoration of a backup of revision 0006 sealed 1 older entries")


async def test_people_and_keys_are_restored_and_sessions_end(
    database: Database, database_settings: Settings, archive: Path, elsewhere: Settings
) -> None:
    cheap = {"password_memory_kib": 8, "password_passes": 1}
    access = Access(database_settings.model_copy(update=cheap), database)
    await access.people.add("Ada", Role.ADMIN, "a long pass phrase", by="test")
    made = await access.keys.create(KeyCreate(name="sensor", role=Role.VIEWER), by="test")
    signed_in = await access.sign_ins.sign_in("Ada", "a long pass phrase", address="127.0.0.1")
    await save(database_settings, database, archive)
    assert b"a long pass phrase" not in archive.read_bytes()
    assert made.key.encode() not in archive.read_bytes()
    await restore_into(elsewhere, archive)
    async with Database(elsewhere) as there:
        access = Access(elsewhere, there)
        await access.start()
        caller = await access.authenticator.identify(Credential(made.key))
        assert caller.role is Role.VIEWER
        await access.sign_ins.sign_in("Ada", "a long pass phrase", address="127.0.0.1")
        with pytest.raises(NotSignedIn):
            await access.authenticator.identify(signed_in.credential)


_DYING = """
import os, sys
from understudy.registry.backup import {module} as module
original, left = module.{function}, [{calls}]
def dying(*arguments, **named):
    left[0] -= 1
    if left[0] == 0:
        os._exit(9)
    return original(*arguments, **named)
module.{function} = dying
from understudy.cli import main
sys.argv = ["understudy", *sys.argv[1:]]
main()
"""


def run_and_die(module: str, function: str, calls: int, *arguments: str | Path) -> None:
    """Run a command in a process that ends, as by SIGKILL, when it calls `function` for the last of `calls` times."""
    code = _DYING.format(module=module, function=function, calls=calls)
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 9, done.stderr


async def test_killed_in_the_middle_both_commands_can_be_run_again(
    settings: Settings, archive: Path, elsewhere: Settings
) -> None:
    for name in "abc":
        (settings.models_dir / f"{name}.onnx").write_text(name)
    async with Database(settings) as database:
        await schema.migrate(database)
        async with database.write() as session:
            await session.execute(text("INSERT INTO ml_models (model_name, file_path) VALUES ('a', 'models/a.onnx')"))
        run_and_die("backup", "_add_file", 2, "backup", archive, "--home", settings.home)
        assert not archive.exists()
        await save(settings, database, archive)
        assert not list(archive.parent.glob(".*.part"))
        run_and_die("restore", "_place_file", 2, "restore", archive, "--home", elsewhere.home)
        assert len(list(elsewhere.models_dir.iterdir())) == 1
        run_and_die("restore", "_find_filled", 2, "restore", archive, "--home", elsewhere.home)
        restored = await restore_into(elsewhere, archive)
        assert (restored.tables["ml_models"], restored.files) == (1, 3)
        assert not list(elsewhere.var_dir.glob(".restore-*"))
        async with Database(elsewhere) as there:
            assert await read_all(elsewhere, there) == await read_all(settings, database)


@only_sqlite
async def test_many_rows_may_take_longer_than_one_answer_of_the_database(
    database_settings: Settings,
    add: Add,
    database: Database,
    archive: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add("one")
    loop = asyncio.get_running_loop()
    passed, real_time = 0.0, loop.time
    monkeypatch.setattr(loop, "time", lambda: real_time() + passed)
    waited: list[str] = []

    def slow_down(name: str) -> None:
        """Let the first call of a function of table_rows take longer than the database may take to answer."""
        real = getattr(table_rows, name)

        def wrapped(*given: object) -> object:
            nonlocal passed
            if name not in waited:
                waited.append(name)
                passed += 2 * database_settings.database_seconds
            return real(*given)

        monkeypatch.setattr(table_rows, name, wrapped)

    slow_down("list_tables")
    slow_down("write_rows")
    await save(database_settings, database, archive)
    restored = await restore_into(elsewhere, archive)
    assert (restored.tables["ml_models"], waited) == (1, ["list_tables", "write_rows"])


async def test_a_sparse_file_in_an_archive_does_not_fill_the_disk(elsewhere: Settings, tmp_path: Path) -> None:
    hostile = tmp_path / "hostile.tar"
    with tarfile.open(hostile, "w", format=tarfile.PAX_FORMAT) as tar:
        entry = tarfile.TarInfo("files/models/zeros")
        entry.size = 1
        entry.pax_headers = {
            "GNU.sparse.major": "0",
            "GNU.sparse.minor": "1",
            "GNU.sparse.name": "files/models/zeros",
            "GNU.sparse.size": str(2**50),
            "GNU.sparse.numblocks": "1",
            "GNU.sparse.map": "0,1",
        }
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(BackupInvalid, match="does not belong into a backup"):
        await restore_into(elsewhere, hostile)


@only_sqlite
async def test_int8_backbones_are_saved_with_what_was_compiled_and_a_servers_copies_are_not(
    database: Database, database_settings: Settings, archive: Path, elsewhere: Settings
) -> None:
    kept = database_settings.quantized_backbone_path("int8-0123")
    kept.parent.mkdir(parents=True)
    for path in (kept, kept.with_name("0123.onnx")):
        path.write_bytes(b"graph")
    await save(database_settings, database, archive, compiled=True)
    await restore_into(elsewhere, archive)
    assert [path.name for path in elsewhere.backbones_dir.iterdir()] == [kept.name]


@only_sqlite
async def test_the_signature_of_a_model_outside_of_the_models_folder_is_saved(
    database: Database, database_settings: Settings, add: Add, archive: Path, elsewhere: Settings
) -> None:
    folder = database_settings.home / "exports"
    folder.mkdir()
    (folder / "a.onnx.sig").write_bytes(b"signature")
    (folder / "a.onnx").write_bytes(b"model")
    await add("one", file_path="exports/a.onnx")
    await save(database_settings, database, archive)
    await restore_into(elsewhere, archive)
    assert (elsewhere.home / "exports" / "a.onnx.sig").read_bytes() == b"signature"
