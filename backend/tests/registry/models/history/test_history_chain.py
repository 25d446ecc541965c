"""The entries of the history are sealed, so that a changed, removed or inserted one is found."""

import asyncio
from collections.abc import Sequence

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from tests.postgres import ByHand, only_postgresql
from tests.registry.types import Add
from understudy.errors import Conflict, DatabaseUnavailable
from understudy.migrations import ADD_ONLY
from understudy.models import HistoryEvent
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.models.history import model_history
from understudy.registry.models.history.acceptance import accept_breaks
from understudy.registry.models.history.chain_audit import ChainReport, audit
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelUpdate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

only_sqlite = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)

_INSERT = (
    "INSERT INTO understudy_history (at, event, position, previous_hash, entry_hash) "
    f"VALUES ('2026-01-01 00:00:00', 'refused', {{}}, '{'a' * 64}', '{'b' * 64}')"
)


def _upgrade_to_0007(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "understudy:migrations")
    config.attributes |= {"connection": connection, "repair": ADD_ONLY}
    command.upgrade(config, "0007")


async def look(database: Database) -> ChainReport:
    async with database.read() as session:
        return await audit(session)


async def append(database: Database, count: int) -> None:
    async with database.write() as session:
        for number in range(count):
            await model_history.record(
                session, HistoryEvent.REFUSED, None, actor="api", detail=f"number {number}: 'ü\n", before={"x": 0.1}
            )


async def test_what_the_server_writes_is_a_whole_chain(registry: Registry, database: Database, add: Add) -> None:
    one = await add("one", accuracy=0.123, description="ünïcode")
    await registry.update(one.model_id, ModelUpdate(accuracy=None, description="é"), "api")
    async with database.write() as session:
        await desired_state.switch(session, one.model_id, actor="api")
    report = await look(database)
    assert (report.entries, report.fault) == (3, None)
    newest = (await registry.list_history()).entries[0]
    assert (newest.position, newest.entry_hash) == (3, report.head)


@only_sqlite
@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE understudy_history SET detail = 'other' WHERE position = 2"], "Position 2 was changed"),
        (["UPDATE understudy_history SET actor = NULL WHERE position = 1"], "Position 1 was changed"),
        (["UPDATE understudy_history SET before_json = '{' WHERE position = 2"], "Position 2 was changed"),
        (["UPDATE understudy_history SET at = '2001-01-01 00:00:00' WHERE position = 3"], "Position 3 was changed"),
        (["DELETE FROM understudy_history WHERE position = 2"], "Removed: position 2. The next entry is 3"),
        (["DELETE FROM understudy_history WHERE position = 1"], "Removed: position 1."),
        (["DELETE FROM understudy_history WHERE position > 2"], "Removed: position 3 to 4, the end"),
        (["DELETE FROM understudy_history"], "Removed: position 1 to 4, the end"),
        (
            [
                "DELETE FROM understudy_history WHERE position = 4",
                "UPDATE understudy_history_head SET position = 3",
            ],
            "Position 3, the last entry, was changed",
        ),
        (
            ["INSERT INTO understudy_history (at, event) VALUES ('2026-01-01 00:00:00', 'refused')"],
            "The entry 5 refused 2026-01-01 00:00:00 has no seal",
        ),
        (
            [
                _INSERT.format(5),
            ],
            "Position 5 was inserted at the end",
        ),
        (
            [
                "UPDATE understudy_history SET position = position + 100 WHERE position > 2",
                "UPDATE understudy_history SET position = position - 99 WHERE position > 2",
                _INSERT.format(3),
                "UPDATE understudy_history_head SET position = 5",
            ],
            "Position 3 was changed or inserted",
        ),
        (["DELETE FROM understudy_history_head"], "The row of understudy_history_head"),
        (
            [
                "UPDATE understudy_history SET history_id = 100 WHERE position = 2",
            ],
            "Position 3 was moved",
        ),
    ],
)
async def test_the_first_fault_is_named(
    database: Database, by_hand: ByHand, statements: Sequence[str], fault: str
) -> None:
    await append(database, 4)
    assert (await look(database)).fault is None
    by_hand(*statements)
    found = (await look(database)).fault
    assert found is not None
    assert fault in found


@only_sqlite
async def test_an_entry_that_was_changed_and_sealed_again_is_named_by_the_next(
    database: Database, by_hand: ByHand
) -> None:
    await append(database, 2)
    [kept] = by_hand("SELECT previous_hash, entry_hash FROM understudy_history WHERE position = 2")
    by_hand(
        "DELETE FROM understudy_history WHERE position >= 1",
        f"UPDATE understudy_history_head SET position = 0, entry_hash = '{'0' * 64}'",
    )
    await append(database, 2)
    by_hand(f"UPDATE understudy_history SET previous_hash = '{kept[0]}' WHERE position = 2")
    assert "Position 2 was changed" in str((await look(database)).fault)


async def test_two_servers_at_once_write_one_chain(database: Database, database_settings: Settings) -> None:
    async with Database(database_settings) as other:
        await asyncio.gather(*(append(each, 2) for each in (database, other) * 8))
    report = await look(database)
    assert (report.entries, report.fault) == (32, None)


@only_postgresql
async def test_a_database_that_defaults_to_serializable_transactions_keeps_one_chain(
    database: Database, database_settings: Settings, by_hand: ByHand
) -> None:
    [[name]] = by_hand("SELECT current_database()")
    by_hand(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    async with Database(database_settings) as other:
        await asyncio.gather(*(append(other, 1) for _ in range(12)))
    report = await look(database)
    assert (report.entries, report.fault) == (12, None)


async def test_writers_that_lock_rows_in_another_order_do_not_wait_for_each_other(
    registry: Registry, database: Database, add: Add
) -> None:
    """The chain's row is locked last, so that a switch and a compilation cannot hold what the other one needs."""
    one = await add("one")
    recorded, reached = asyncio.Event(), asyncio.Event()

    async def compile_slowly() -> None:
        async with database.write() as session:
            await model_history.record(session, HistoryEvent.COMPILED, one.model_id, actor="api")
            recorded.set()
            if database.kind == "postgresql":
                await reached.wait()  # the other one has committed, though this one has an entry to write

    async def switch() -> None:
        await recorded.wait()
        async with database.write() as session:
            await desired_state.switch(session, one.model_id, actor="api")
        reached.set()

    async with asyncio.timeout(30):
        await asyncio.gather(compile_slowly(), switch())
    report = await look(database)
    assert (report.entries, report.fault) == (3, None)


@only_sqlite
async def test_without_the_end_of_the_chain_nothing_is_recorded_until_it_is_restored(
    database: Database, by_hand: ByHand, registry: Registry
) -> None:
    await append(database, 2)
    by_hand("DELETE FROM understudy_history_head")
    with pytest.raises(DatabaseUnavailable, match="understudy_history_head"):
        await append(database, 1)
    async with database.write() as session:
        assert await model_history.restore_head(session)
        assert not await model_history.restore_head(session)
    assert (await look(database)).fault is None
    [entry] = (await registry.list_history(limit=1)).entries
    assert (entry.event, entry.position) == ("repaired", 3)
    assert "taken from position 2" in str(entry.detail)


async def test_entries_from_before_the_seals_are_sealed_once_and_that_is_said(
    database_settings: Settings, by_hand: ByHand
) -> None:
    async with Database(database_settings) as database:
        await database._run_exclusively(_upgrade_to_0007)
        by_hand(
            "INSERT INTO understudy_history (at, event, detail) VALUES ('2026-01-01 00:00:00', 'registered', 'old')",
            "INSERT INTO understudy_history (at, event, detail) VALUES ('2026-01-02 00:00:00.5', 'refused', 'old')",
        )
        await schema.migrate(database)
        report = await look(database)
        assert (report.entries, report.fault) == (3, None)
        entries = (await Registry(database_settings, database).list_history()).entries
        assert [(each.event, each.actor) for each in entries] == [
            ("sealed", "migration"),
            ("refused", None),
            ("registered", None),
        ]
        assert entries[0].detail is not None
        assert entries[0].detail.startswith("The migration to revision 0008 sealed 2 older entries")
        await append(database, 1)
        assert (await look(database)).fault is None


async def test_a_break_is_accepted_once_and_a_later_one_is_found(database: Database, by_hand: ByHand) -> None:
    await append(database, 6)
    with pytest.raises(Conflict, match="no break"):
        await accept_breaks(database, "why", actor="cli")
    by_hand("UPDATE understudy_history SET detail = 'changed' WHERE position = 2")
    by_hand("DELETE FROM understudy_history WHERE position = 4")
    by_hand("DELETE FROM understudy_history WHERE position = 6")
    report = await accept_breaks(database, "A disk failed.", actor="cli")
    assert report.fault is None
    assert [each.text.split(":")[0] for each in report.accepted] == [
        "Position 2 was changed or inserted",
        "Removed",
        "Removed",
    ]
    found = by_hand("SELECT detail FROM understudy_history WHERE event = 'accepted' ORDER BY position")
    assert found[0][0].startswith("A disk failed. Accepted: Position 2 was changed")
    by_hand("UPDATE understudy_history SET detail = 'changed again' WHERE position = 2")
    again = await look(database)
    assert again.fault is not None
    assert again.fault.startswith("Position 2 was changed")
    by_hand("UPDATE understudy_history SET detail = 'changed' WHERE position = 2")
    assert (await look(database)).fault is None
    await append(database, 1)
    assert (await look(database)).fault is None
    # An entry that is itself changed accepts nothing.
    by_hand("UPDATE understudy_history SET detail = 'x' WHERE event = 'accepted'")
    assert (await look(database)).fault is not None
