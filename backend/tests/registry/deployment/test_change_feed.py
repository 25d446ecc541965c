"""A reader that asks for what is newer gets each entry and each operation once, in order."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.registry.types import Add
from understudy.models import History, HistoryEvent, utc_now
from understudy.registry.database.database import Database
from understudy.registry.deployment import change_feed, operation_rows
from understudy.schemas.server.operation import Operation, OperationState, Step

pytestmark = pytest.mark.anyio

_NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


async def test_the_entries_after_one_are_listed_oldest_first(database: Database, add: Add) -> None:
    async with database.read() as session:
        assert await change_feed.find_newest_entry(session) == 0
        assert await change_feed.list_entries_after(session, 0) == []
    for name in "abcd":
        await add(name)
    async with database.read() as session:
        entries = await change_feed.list_entries_after(session, 0)
        assert [(entry.event, entry.model_name) for entry in entries] == [("registered", name) for name in "abcd"]
        ids = [entry.history_id for entry in entries]
        assert await change_feed.find_newest_entry(session) == ids[-1]
        assert await change_feed.list_entries_after(session, ids[1]) == entries[2:]
        assert await change_feed.list_entries_after(session, ids[0], limit=2) == entries[1:3]
        assert await change_feed.list_entries_after(session, ids[-1]) == []


async def test_one_reading_lists_at_most_500_entries(database: Database) -> None:
    async with database.write() as session:
        session.add_all(History(at=utc_now(), event=HistoryEvent.REPAIRED) for _ in range(502))
    async with database.read() as session:
        first = await change_feed.list_entries_after(session, 0)
        assert len(first) == 500
        assert len(await change_feed.list_entries_after(session, first[-1].history_id)) == 2


async def test_operations_are_listed_in_the_order_of_their_changes(database: Database) -> None:
    for name, minutes in (("latest", 2), ("seen", 0), ("next", 1)):
        operation = Operation(
            operation_id=name,
            kind="activate",
            model_id=1,
            state=OperationState.RUNNING,
            step=Step.VERIFY,
            progress=0.0,
            generation=None,
            error=None,
            started_at=_NOW,
            updated_at=_NOW + timedelta(minutes=minutes),
        )
        async with database.write() as session:
            await operation_rows.save(session, operation)
    async with database.read() as session:
        changed = await change_feed.list_operations_after(session, _NOW)
    assert [operation.operation_id for operation in changed] == ["next", "latest"]
