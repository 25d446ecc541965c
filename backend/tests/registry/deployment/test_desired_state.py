import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import select

from tests.postgres import ByHand
from tests.registry.types import Add
from understudy.errors import CompileFailed, Conflict, DatabaseUnavailable, ModelNotFound, SeveralActive
from understudy.models import FLOAT32, Deployment, HistoryEvent, utc_now
from understudy.registry.database.database import Database
from understudy.registry.deployment import desired_state, rollback
from understudy.registry.models.history import model_history
from understudy.registry.registry import Registry
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def _switch(
    database: Database, model_id: int, event: HistoryEvent = HistoryEvent.ACTIVATED, variant: str = FLOAT32
) -> int:
    async with database.write() as session:
        return await desired_state.switch(session, model_id, actor="api", event=event, variant=variant)


async def _poll(database: Database) -> desired_state.DesiredStatePoll:
    async with database.read() as session:
        return await desired_state.poll(session)


async def test_a_switch_moves_row_generation_and_history_together(
    registry: Registry, database: Database, add: Add
) -> None:
    first, second = await add("first"), await add("second")
    assert await _poll(database) == desired_state.DesiredStatePoll(0, None, None, 0)
    assert await _switch(database, first.model_id) == 1
    assert await _switch(database, second.model_id) == 2
    assert await _poll(database) == desired_state.DesiredStatePoll(2, second.model_id, second.model_id, 1)
    active = await registry.get_active()
    assert active.model_name == "second"
    entries = (await registry.list_history(limit=3)).entries
    assert [(entry.event, entry.model_name, entry.generation) for entry in entries] == [
        ("activated", "second", 2),
        ("deactivated", "first", 2),
        ("activated", "first", 1),
    ]


async def test_switching_to_a_model_that_is_gone_changes_nothing(database: Database, add: Add) -> None:
    live = await add("live")
    await _switch(database, live.model_id)
    with pytest.raises(ModelNotFound):
        await _switch(database, 999)
    assert await _poll(database) == desired_state.DesiredStatePoll(1, live.model_id, live.model_id, 1)


async def test_the_documented_repair_by_hand_is_followed(
    registry: Registry, database: Database, add: Add, by_hand: ByHand
) -> None:
    first, second = await add("first"), await add("second")
    await _switch(database, first.model_id)
    by_hand(
        "UPDATE ml_models SET is_active = FALSE",
        f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {second.model_id}",
    )
    seen = await _poll(database)
    assert seen.drifted
    async with database.read() as session:
        assert await desired_state.read_desired(session) == desired_state.Desired(second.model_id, 1)
    for _ in range(2):
        async with database.write() as session:
            assert await desired_state.reconcile(session) == desired_state.Desired(second.model_id, 2)
    entries = (await registry.list_history(limit=2)).entries
    assert [(entry.event, entry.model_name, entry.actor) for entry in entries] == [
        ("activated", "second", "sql"),
        ("deactivated", "first", "sql"),
    ]


async def test_a_variant_stays_desired_until_another_row_is_activated_by_hand(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    first, second = (await add("first")).model_id, (await add("second")).model_id
    await _switch(database, first, variant="int8-1")
    assert await _poll(database) == desired_state.DesiredStatePoll(1, first, first, 1, "int8-1")
    async with database.read() as session:
        assert await desired_state.read_desired(session) == desired_state.Desired(first, 1, "int8-1")
    async with database.write() as session:
        assert await desired_state.reconcile(session) == desired_state.Desired(first, 1, "int8-1")
    by_hand(
        "UPDATE ml_models SET is_active = FALSE",
        f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {second}",
    )
    async with database.read() as session:
        assert await desired_state.read_desired(session) == desired_state.Desired(second, 1, "float32")
    async with database.write() as session:
        assert await desired_state.reconcile(session) == desired_state.Desired(second, 2, "float32")
    assert await _poll(database) == desired_state.DesiredStatePoll(2, second, second, 1, "float32")


async def test_a_switch_after_an_unseen_change_by_hand_ends_both_models(
    registry: Registry, database: Database, add: Add, by_hand: ByHand
) -> None:
    first, second, third = [(await add(name)).model_id for name in ("first", "second", "third")]
    await _switch(database, second)
    by_hand(
        "UPDATE ml_models SET is_active = FALSE",
        f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {first}",
    )
    await _switch(database, third, variant="int8-3")
    entries = (await registry.list_history(limit=3)).entries
    assert [(entry.event, entry.model_id, entry.generation, entry.form, entry.actor) for entry in entries] == [
        ("activated", third, 2, "int8-3", "api"),
        ("deactivated", second, 2, None, "api"),
        ("deactivated", first, 2, None, "api"),
    ]


async def test_a_switch_writes_when_it_happened(database: Database, add: Add, by_hand: ByHand) -> None:
    model = (await add("model")).model_id
    by_hand("UPDATE understudy_stage SET changed_at = '2000-01-01 00:00:00'")
    before = utc_now()
    await _switch(database, model)
    async with database.read() as session:
        changed_at = await session.scalar(select(Deployment.changed_at))
    assert changed_at is not None
    assert before <= changed_at <= utc_now()


async def test_a_switch_that_would_leave_two_active_rows_changes_nothing(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    """Somebody dropped the index, and a trigger of theirs activates a row of its own."""
    other, model = (await add("other")).model_id, (await add("model")).model_id
    activate_other = f"UPDATE ml_models SET is_active = TRUE, updated_at = NULL WHERE model_id = {other}"
    condition = f"AFTER UPDATE ON ml_models FOR EACH ROW WHEN (NEW.is_active AND NEW.model_id = {model})"
    body = f"BEGIN {activate_other}; RETURN NULL; END"
    triggers = {
        "sqlite": (f"CREATE TRIGGER meddle {condition} BEGIN {activate_other}; END",),
        "postgresql": (
            f"CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
            f"CREATE TRIGGER meddle {condition} EXECUTE FUNCTION meddle()",
        ),
    }
    by_hand("DROP INDEX ml_models_one_active", *triggers[database.kind])
    with pytest.raises(Conflict, match=rf"^2 models would be active after the switch to model {model}\."):
        await _switch(database, model)
    assert await _poll(database) == desired_state.DesiredStatePoll(0, None, None, 0)


async def test_a_lost_row_of_the_deployment_is_restored_and_counts_on(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    live = (await add("live")).model_id
    for _ in range(3):
        await _switch(database, live)
    by_hand("DELETE FROM understudy_stage")
    with pytest.raises(DatabaseUnavailable, match=r"^The row of understudy_stage is missing\.$") as missing:
        await _poll(database)
    assert missing.value.remedy == "Run `understudy doctor --fix`."
    async with database.write() as session:
        assert not await desired_state.has_row(session)
        assert await desired_state.restore_row(session)
    async with database.write() as session:
        assert await desired_state.has_row(session)
        assert not await desired_state.restore_row(session)
    assert await _poll(database) == desired_state.DesiredStatePoll(3, None, live, 1)
    async with database.write() as session:
        assert await desired_state.reconcile(session) == desired_state.Desired(live, 4)


async def test_everything_deactivated_by_hand_leaves_nothing_desired(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    live = await add("live")
    await _switch(database, live.model_id)
    by_hand("DELETE FROM ml_models")
    async with database.write() as session:
        assert await desired_state.reconcile(session) is None
    assert await _poll(database) == desired_state.DesiredStatePoll(2, None, None, 0)


async def test_a_switch_does_not_decide_which_of_several_active_rows_to_give_up(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    models = [await add(name) for name in "abc"]
    by_hand("DROP INDEX ml_models_one_active", "UPDATE ml_models SET is_active = TRUE")
    before = await _poll(database)
    assert before.active_count == 3
    with pytest.raises(SeveralActive, match=r"model 1 \(a, .*model 3 \(c"):
        await _switch(database, models[0].model_id)
    with pytest.raises(SeveralActive):
        async with database.write() as session:
            await desired_state.reconcile(session)
    assert await _poll(database) == before


async def test_switches_at_once_from_several_processes_end_with_one_active_row_and_no_gap(
    registry: Registry, database: Database, database_settings: Settings, add: Add
) -> None:
    models = [(await add(name)).model_id for name in "abcd"]
    databases = [Database(database_settings) for _ in range(4)]

    async def switcher(own: Database, number: int) -> list[int]:
        return [await _switch(own, models[(number + step * step) % 4]) for step in range(8)]

    generations = await asyncio.gather(*(switcher(each, number) for number, each in enumerate(databases)))
    for each in databases:
        await each.dispose()
    assert sorted(number for numbers in generations for number in numbers) == list(range(1, 33))
    entries = (await registry.list_history(limit=500)).entries
    live = [(entry.generation, entry.model_id) for entry in entries if entry.event == "activated"]
    assert [generation for generation, _ in live] == list(range(32, 0, -1))
    replaced = {entry.generation: entry.model_id for entry in entries if entry.event == "deactivated"}
    for (generation, model_id), (_, before) in pairwise(live):
        assert replaced.get(generation) == (None if model_id == before else before)
    assert await _poll(database) == desired_state.DesiredStatePoll(32, live[0][1], live[0][1], 1)


async def test_statements_by_hand_in_between_never_leave_two_active_rows(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    models = [(await add(name)).model_id for name in "ab"]

    def documented_switch() -> None:
        by_hand(
            "UPDATE ml_models SET is_active = FALSE",
            f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {models[1]}",
        )

    for _ in range(5):
        await asyncio.gather(_switch(database, models[0]), asyncio.to_thread(documented_switch))
        async with database.write() as session:
            await desired_state.reconcile(session)
        seen = await _poll(database)
        assert (seen.active_count, seen.drifted) == (1, False)


async def test_rolling_back_goes_to_the_last_model_that_is_still_there(
    registry: Registry, database: Database, add: Add
) -> None:
    async def previous() -> int | None:
        async with database.read() as session:
            found = await rollback.find_previous_active(session)
            return found and found[0]

    first, second, third = [(await add(name)).model_id for name in ("first", "second", "third")]
    assert await previous() is None
    await _switch(database, first)
    assert await previous() is None
    await _switch(database, second)
    await _switch(database, third)
    await _switch(database, third)
    assert await previous() == second
    await registry.delete(second, "api")
    assert await previous() == first
    await _switch(database, first, HistoryEvent.ROLLED_BACK)
    assert await previous() == third


async def test_rolling_back_alternates_between_the_variants_of_one_model(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    async def previous() -> tuple[int, str] | None:
        async with database.read() as session:
            return await rollback.find_previous_active(session)

    model = (await add("model")).model_id
    await _switch(database, model)
    assert await previous() is None
    await _switch(database, model, variant="int8-1")
    assert await previous() == (model, "float32")
    by_hand("UPDATE understudy_history SET form = NULL WHERE generation = 1")  # as an earlier version wrote it
    assert await previous() == (model, "float32")
    await _switch(database, model, HistoryEvent.ROLLED_BACK)
    assert await previous() == (model, "int8-1")


async def test_rolling_back_to_another_model_returns_to_the_variant_that_was_live(database: Database, add: Add) -> None:
    first, second = (await add("first")).model_id, (await add("second")).model_id
    await _switch(database, first, variant="int8-1")
    await _switch(database, second)
    async with database.read() as session:
        assert await rollback.find_previous_active(session) == (first, "int8-1")


async def test_a_refused_activation_is_nothing_to_go_back_to(database: Database, add: Add) -> None:
    live, refused = (await add("live")).model_id, (await add("refused")).model_id
    await _switch(database, live)
    async with database.write() as session:
        await model_history.record_refusal(session, refused, CompileFailed("unknown layer"), actor="api")
    async with database.read() as session:
        assert await rollback.find_previous_active(session) is None


async def test_with_nothing_active_the_last_live_model_is_the_one_to_go_back_to(
    database: Database, add: Add, by_hand: ByHand
) -> None:
    live = (await add("live")).model_id
    await _switch(database, live)
    by_hand("UPDATE ml_models SET is_active = FALSE")
    async with database.read() as session:
        assert await rollback.find_previous_active(session) == (live, "float32")


async def test_an_id_given_out_again_by_hand_does_not_inherit_a_past(
    registry: Registry, database: Database, add: Add, by_hand: ByHand
) -> None:
    first, second = (await add("first")).model_id, (await add("second")).model_id
    await _switch(database, first)
    await _switch(database, second)
    await registry.delete(first, "api")
    by_hand(f"INSERT INTO ml_models (model_id, model_name, file_path) VALUES ({first}, 'impostor', 'a.onnx')")
    async with database.read() as session:
        assert await rollback.find_previous_active(session) is None


async def test_a_refusal_is_stored_with_its_reason_and_remedy(registry: Registry, database: Database, add: Add) -> None:
    model = await add("head")
    async with database.write() as session:
        await model_history.record_refusal(session, model.model_id, CompileFailed("unknown layer"), actor="api")
    entry = (await registry.list_history(model.model_id, event="refused")).entries[0]
    assert (entry.code, entry.detail, entry.digest) == ("compile_failed", "unknown layer", model.digest)
    assert entry.remedy
