"""Each entry of the history says who changed what, and the history answers what was live at a moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.postgres import ByHand
from tests.registry.types import Add
from understudy.errors import RequestInvalid
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state
from understudy.registry.registry import Registry
from understudy.schemas.access.actor import ActingPrincipal, Actor, Source
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import HistoryEntry, ModelUpdate

pytestmark = pytest.mark.anyio

ANNA = Actor(Source.PAGE, ActingPrincipal(7, "anna", "person"))


async def switch(database: Database, model_id: int, actor: str = ANNA, variant: str = "float32") -> None:
    async with database.write() as session:
        await desired_state.switch(session, model_id, actor=actor, variant=variant)


async def read_newest(registry: Registry, count: int = 1) -> list[HistoryEntry]:
    return (await registry.list_history(limit=count)).entries


async def test_an_update_names_its_principal_and_the_values_before_and_after(registry: Registry, add: Add) -> None:
    model = await add("one", version="1", accuracy=0.5)
    changes = ModelUpdate(version="2", accuracy=None, spec=PartialSpec(labels=("a", "b")))
    await registry.update(model.model_id, changes, ANNA)
    [entry] = await read_newest(registry)
    assert entry.principal is not None
    assert entry.principal.model_dump() == {"principal_id": 7, "name": "anna", "kind": "person"}
    assert (entry.event, entry.actor) == ("updated", "page")
    assert entry.before == {"version": "1", "accuracy": 0.5, "spec": None}
    assert isinstance(entry.after, dict)
    assert (entry.after["version"], entry.after["accuracy"]) == ("2", None)
    assert entry.after["spec"]["labels"] == ["a", "b"]


async def test_a_registration_and_a_deletion_keep_the_whole_row(registry: Registry, add: Add) -> None:
    model = await add("one", version="1", description="first")
    await registry.delete(model.model_id, "api")
    deleted, registered = await read_newest(registry, 2)
    assert registered.before is None
    assert registered.principal is None
    assert isinstance(registered.after, dict)
    assert registered.after["description"] == "first"
    assert registered.after["digest"] == model.digest
    assert deleted.after is None
    assert deleted.before == {**registered.after, "spec": None}


async def test_a_switch_names_the_models_before_and_after(registry: Registry, database: Database, add: Add) -> None:
    one, two = await add("one"), await add("two")
    await switch(database, one.model_id)
    await switch(database, two.model_id, variant="int8-abc")
    activated, deactivated = await read_newest(registry, 2)
    before = {"model_id": one.model_id, "model_name": "one", "version": None, "digest": one.digest, "form": "float32"}
    after = {"model_id": two.model_id, "model_name": "two", "version": None, "digest": two.digest, "form": "int8-abc"}
    assert (activated.event, activated.before, activated.after) == ("activated", before, after)
    assert (deactivated.event, deactivated.before, deactivated.after) == ("deactivated", before, after)


async def test_a_switch_that_was_typed_into_the_table_has_the_source_sql(
    registry: Registry, database: Database, add: Add, by_hand: ByHand
) -> None:
    one = await add("one")
    by_hand(f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {one.model_id}")
    async with database.write() as session:
        await desired_state.reconcile(session)
    [entry] = await read_newest(registry)
    assert (entry.event, entry.actor, entry.principal) == ("activated", "sql", None)


async def test_a_change_that_fails_leaves_no_entry(registry: Registry, database: Database, add: Add) -> None:
    one = await add("one")

    async def fail_late() -> None:
        async with database.write() as session:
            await desired_state.switch(session, one.model_id, actor="api")
            raise RuntimeError("after the switch")

    with pytest.raises(RuntimeError, match="after the switch"):
        await fail_late()
    [entry] = await read_newest(registry)
    assert (entry.event, entry.position) == ("registered", 1)


async def test_a_moment_has_its_model_with_digest_and_precision(
    registry: Registry, database: Database, add: Add
) -> None:
    one, two = await add("one"), await add("two", version="2")
    before = datetime.now(UTC)
    await switch(database, one.model_id)
    first = datetime.now(UTC)
    await switch(database, two.model_id, variant="int8-abc")
    second = datetime.now(UTC)
    page = await registry.list_history(at=first)
    assert page.live_at is not None
    assert (page.live_at.model_id, page.live_at.digest) == (one.model_id, one.digest)
    assert (page.live_at.precision, page.live_at.generation) == ("float32", 1)
    assert page.live_at.principal is not None
    assert page.live_at.principal.name == "anna"
    assert [entry.event for entry in page.entries] == ["activated", "registered", "registered"]
    since, until = page.live_at.since, page.live_at.until
    assert since is not None
    assert until is not None
    assert before <= since <= first < until <= second
    latest = (await registry.list_history(at=second.astimezone(timezone(timedelta(hours=5))))).live_at
    assert latest is not None
    assert (latest.model_id, latest.version, latest.precision, latest.form, latest.until) == (
        two.model_id,
        "2",
        "int8",
        "int8-abc",
        None,
    )
    earliest = (await registry.list_history(at=before)).live_at
    assert earliest is not None
    assert (earliest.model_id, earliest.since, earliest.digest) == (None, None, None)


async def test_a_moment_at_which_no_row_was_active_has_no_model(
    registry: Registry, database: Database, add: Add, by_hand: ByHand
) -> None:
    one = await add("one")
    await switch(database, one.model_id)
    by_hand("UPDATE ml_models SET is_active = FALSE")
    async with database.write() as session:
        await desired_state.reconcile(session)
    live = (await registry.list_history(at=datetime.now(UTC))).live_at
    assert live is not None
    assert (live.model_id, live.generation, live.actor) == (None, 2, "sql")
    assert live.since is not None


async def test_a_deleted_model_is_still_named_for_its_time(registry: Registry, database: Database, add: Add) -> None:
    one, two = await add("one"), await add("two")
    await switch(database, one.model_id)
    then = datetime.now(UTC)
    await switch(database, two.model_id)
    await registry.delete(one.model_id, "api")
    live = (await registry.list_history(at=then)).live_at
    assert live is not None
    assert (live.model_id, live.model_name, live.digest) == (one.model_id, "one", one.digest)


async def test_the_future_and_a_time_outside_of_the_calendar_are_refused(registry: Registry) -> None:
    with pytest.raises(RequestInvalid, match="has not come yet"):
        await registry.list_history(at=datetime(9999, 12, 31, tzinfo=UTC))
    with pytest.raises(RequestInvalid, match="no time that can be asked for"):
        await registry.list_history(at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))))
