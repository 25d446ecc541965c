"""Every process serves the model that the database desires, through errors and outages."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from tests.fault_points import act_at
from tests.serving.conftest import Opener, Register
from understudy.container import Services, open_services, run_background_tasks
from understudy.errors import (
    DatabaseDenied,
    DatabaseUnavailable,
    ModelNotLoaded,
    RegistryOutdated,
    SeveralActive,
)
from understudy.migrations import Repair
from understudy.registry import schema
from understudy.registry.deployment import desired_state
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.server.status import ReplicaStatus
from understudy.serving.sync import reconciler, replica_reporter
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


def live_id(services: Services) -> int | None:
    return services.live.current.model.identity.model_id if services.live.current else None


async def by_hand(services: Services, *statements: str) -> None:
    """As someone types them into psql: each commits on its own."""
    for statement in statements:
        async with services.database.write() as session:
            await session.execute(text(statement))


async def until_live(services: Services, model_id: int) -> None:
    async with asyncio.timeout(60):
        while live_id(services) != model_id:
            await asyncio.sleep(0.01)


async def read_report(services: Services) -> ReplicaStatus:
    """Return what this server reported of itself."""
    name = services.reconciler.reporter.replica
    [report] = [each for each in (await services.replica_reports.list()).replicas if each.replica == name]
    return report


async def test_two_processes_follow_every_activation_of_each_other(
    services: Services, register: Register, open_process: Opener
) -> None:
    other = await open_process()
    models = [await register("first"), await register("second", 1)]
    async with run_background_tasks(services), run_background_tasks(other):
        for number in range(6):
            model = models[number % 2]
            activating, following = (services, other) if number % 3 else (other, services)
            live = (await activating.activation.activate(model, "test")).live
            await until_live(following, model)
            assert following.live.current is not None
            assert following.live.current.generation == live.generation
        reports = (await services.status_reporter.status()).replicas
        assert {report.model_id for report in reports} <= set(models)
    assert (await services.status_reporter.status()).replicas == ()


async def test_a_process_is_ready_while_it_loads_the_next_model_beside_the_live_one(
    services: Services, register: Register, open_process: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one switch takes every server of a registry out of service at once."""
    other = await open_process()
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await other.reconciler.poll_once()
    await services.activation.activate(second, "test")

    async def check() -> None:
        ready = other.status_reporter.check_readiness(require_model=True)
        assert (ready.model and ready.model.model_id, live_id(other)) == (first, first)
        assert ready.note == f"Model {second} is being loaded; the model named here answers until then."
        assert not (await other.status_reporter.status()).in_sync
        late = time.monotonic() + other.settings.compile_wall_seconds
        with monkeypatch.context() as clock:
            clock.setattr("understudy.serving.sync.reconciler.time", SimpleNamespace(monotonic=lambda: late))
            clock.setattr(other.reconciler, "_looked_at", late)
            with pytest.raises(ModelNotLoaded, match=f"model {second} is being loaded"):
                other.status_reporter.require_ready()

    done = act_at(monkeypatch, other.reconciler._preparation, "prepare_desired", check, when="before")
    await other.reconciler.poll_once()
    assert done
    ready = other.status_reporter.check_readiness(require_model=True)
    assert (ready.model and ready.model.model_id, ready.note) == (second, None)


async def test_a_process_that_polls_rarely_is_notified_of_a_switch(
    services: Services, register: Register, database_settings: Settings, shared_store: None
) -> None:
    model = await register("first")
    seldom = database_settings.model_copy(update={"poll_seconds": 600.0})
    async with open_services(seldom) as other, run_background_tasks(other), asyncio.timeout(60):
        while live_id(other) != model:
            await services.activation.activate(model, "test")
            await asyncio.sleep(0.2)


async def test_the_documented_repair_by_hand_is_followed_without_a_gap(services: Services, register: Register) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await by_hand(services, "UPDATE ml_models SET is_active = FALSE")
    await services.reconciler.poll_once()
    assert live_id(services) == first
    assert not services.reconciler.in_sync
    ready = services.status_reporter.check_readiness(require_model=True)
    assert (ready.model and ready.model.model_id, "No model is marked active any more" in str(ready.note)) == (
        first,
        True,
    )
    await by_hand(services, f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {second}")
    await services.reconciler.poll_once()
    assert live_id(services) == second
    events = {(entry.event, entry.actor) for entry in (await services.registry.list_history(second)).entries}
    assert ("activated", "sql") in events


async def test_several_rows_made_active_by_hand_are_named_and_none_is_given_up(
    services: Services, register: Register
) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    await by_hand(services, "DROP INDEX ml_models_one_active", "UPDATE ml_models SET is_active = TRUE")
    await services.reconciler.poll_once()
    assert live_id(services) == first
    problem = (await services.status_reporter.status()).problem
    assert problem is not None
    assert (problem.code, "--keep-active" in problem.remedy) == ("several_active", True)
    with pytest.raises(SeveralActive):
        await services.activation.activate(second, "test")
    with pytest.raises(SeveralActive):
        await services.reconciler.load_desired()
    assert live_id(services) == first
    async with services.database.read() as session:
        assert (await desired_state.poll(session)).active_count == 2
    await schema.repair_tables(services.database, Repair(keep_active=second))
    await services.reconciler.poll_once()
    assert live_id(services) == second
    assert services.reconciler.problem is None


async def test_an_activation_is_in_sync_before_the_next_poll(services: Services, register: Register) -> None:
    await services.reconciler.poll_once()
    for model in (await register("first"), await register("second", 1)):
        await services.activation.activate(model, "test")
        services.status_reporter.require_ready()


async def test_a_database_restored_from_a_backup_is_followed(services: Services, register: Register) -> None:
    first, second = await register("first"), await register("second", 1)
    for model in (first, second, second):
        await services.activation.activate(model, "test")
    await by_hand(
        services,
        "UPDATE ml_models SET is_active = FALSE",
        f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {first}",
        f"UPDATE understudy_stage SET generation = 1, model_id = {first}",
    )
    await services.reconciler.poll_once()
    assert live_id(services) == first
    assert (await services.activation.activate(second, "test")).live.generation == 2
    assert live_id(services) == second


async def test_a_row_activated_by_hand_after_the_poll_keeps_its_model_live(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    await services.activation.activate(model, "test")
    await by_hand(services, "UPDATE ml_models SET is_active = FALSE")
    await services.reconciler.poll_once()
    monkeypatch.setattr(reconciler, "EMPTY_GRACE_SECONDS", 0.0)

    async def activate_by_hand() -> None:
        await by_hand(services, f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {model}")

    done = act_at(monkeypatch, desired_state, "poll", activate_by_hand)
    await services.reconciler.poll_once()
    assert done
    assert live_id(services) == model
    await services.reconciler.poll_once()
    services.status_reporter.require_ready()


async def test_a_model_activated_while_an_empty_server_polls_stays_live(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    await services.reconciler.poll_once()
    monkeypatch.setattr(reconciler, "EMPTY_GRACE_SECONDS", 0.0)
    done = act_at(monkeypatch, desired_state, "poll", lambda: services.activation.activate(model, "test"))
    await services.reconciler.poll_once()
    assert done
    assert live_id(services) == model
    services.status_reporter.require_ready()


async def test_a_model_replaced_and_deleted_after_the_poll_is_followed_by_the_next_one(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await register("first"), await register("second")
    await services.activation.activate(first, "test")

    async def replace_and_delete() -> None:
        await by_hand(services, "UPDATE ml_models SET is_active = FALSE")
        await by_hand(services, f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {second}")
        await services.registry.delete(first, "test")

    done = act_at(monkeypatch, desired_state, "poll", replace_and_delete)
    await services.reconciler.poll_once()
    assert done
    assert services.reconciler.problem is None
    assert live_id(services) == first
    await services.reconciler.poll_once()
    assert live_id(services) == second


async def test_a_rename_that_is_newer_than_what_the_poll_read_stays(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    await services.activation.activate(model, "test")
    done = act_at(
        monkeypatch,
        desired_state,
        "poll",
        lambda: services.model_changes.update(model, ModelUpdate(model_name="renamed"), "test"),
    )
    await services.reconciler.poll_once()
    assert done
    assert services.live.current is not None
    assert services.live.current.model.identity.model_name == "renamed"


async def test_a_server_at_rest_asks_the_database_one_thing_at_each_poll(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every server of a registry does so all the time."""
    model = await register("first")
    await services.activation.activate(model, "test")
    await services.reconciler.poll_once()
    await by_hand(services, f"UPDATE ml_models SET model_name = 'typed' WHERE model_id = {model}")
    asked: list[str] = []

    async def record(session: AsyncSession, statement: Executable, *arguments: Any, **options: Any) -> Any:
        asked.append(str(statement))
        return await execute(session, statement, *arguments, **options)

    execute = AsyncSession.execute
    monkeypatch.setattr(AsyncSession, "execute", record)
    await services.reconciler.poll_once()
    assert len(asked) == 1
    assert services.live.current is not None
    assert services.live.current.model.identity.model_name == "typed"


async def test_no_model_is_live_once_none_was_active_for_the_grace_period(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.activation.activate(await register("first"), "test")
    await by_hand(services, "UPDATE ml_models SET is_active = FALSE")
    await services.reconciler.poll_once()
    monkeypatch.setattr(reconciler, "EMPTY_GRACE_SECONDS", 0.0)
    await services.reconciler.poll_once()
    assert live_id(services) is None
    services.status_reporter.require_ready()


async def test_an_activation_during_a_poll_that_found_no_active_model_stays_live(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    await services.reconciler.poll_once()
    monkeypatch.setattr(reconciler, "EMPTY_GRACE_SECONDS", 0.0)
    poll = desired_state.poll

    async def poll_then_activate(session: AsyncSession) -> desired_state.DesiredStatePoll:
        found = await poll(session)
        monkeypatch.setattr(desired_state, "poll", poll)
        await services.activation.activate(model, "test")
        return found

    monkeypatch.setattr(desired_state, "poll", poll_then_activate)
    await services.reconciler.poll_once()
    assert live_id(services) == model


async def test_a_load_that_fails_keeps_the_old_model_and_is_shown_and_tried_again(
    services: Services, register: Register, open_process: Opener, database_settings: Settings
) -> None:
    other = await open_process()
    first = await register("first")
    await services.activation.activate(first, "test")
    second = await register("second", 1, labels=("not", "compiled", str(database_settings.home)))
    await other.reconciler.poll_once()
    file = database_settings.models_dir / "second.onnx"
    content = file.read_bytes()
    file.unlink()
    await by_hand(
        services,
        "UPDATE ml_models SET is_active = FALSE",
        f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {second}",
    )
    await other.reconciler.poll_once()
    assert live_id(other) == first
    with pytest.raises(ModelNotLoaded, match=r"second\.onnx"):
        other.status_reporter.require_ready()
    report = await read_report(other)
    assert (report.state, report.model_id, report.generation, report.desired_generation) == ("failed", first, 1, 2)
    assert report.error is not None
    assert "second.onnx" in report.error.detail
    refusals = [entry for entry in (await other.registry.list_history(second)).entries if entry.event == "refused"]
    assert len(refusals) == 1
    file.write_bytes(content)
    await other.reconciler.poll_once()
    assert live_id(other) == first, "tried again before its time"
    async with asyncio.timeout(60):
        while live_id(other) != second:
            await asyncio.sleep(0.05)
            await other.reconciler.poll_once()
    other.status_reporter.require_ready()
    report = await read_report(other)
    assert (report.state, report.model_id, report.generation, report.error) == ("live", second, 2, None)


async def test_servers_that_cannot_load_a_model_for_the_same_reason_add_one_entry(
    services: Services, register: Register, open_process: Opener, database_settings: Settings
) -> None:
    model = await register("first", labels=("not", "compiled", "before", str(database_settings.home)[-200:]))
    file = database_settings.models_dir / "first.onnx"
    file.unlink()
    await by_hand(services, f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {model}")
    await services.reconciler.read_desired()
    assert services.reconciler.desired is not None
    await services.reconciler._reconcile(services.reconciler.desired)
    servers = [services, await open_process(), await open_process()]
    await asyncio.gather(*(server.reconciler.poll_once() for server in servers))
    file.write_bytes(b"another file")
    await (await open_process()).reconciler.poll_once()
    entries = (await services.registry.list_history(model)).entries
    assert [(entry.code, entry.generation) for entry in entries if entry.event == "refused"] == [
        ("file_changed", 1),
        ("file_missing", 1),
    ]


async def test_an_unforeseen_error_stops_neither_the_reconciler_nor_the_compile_queue(
    services: Services, register: Register, database_settings: Settings
) -> None:
    model = await register("first", labels=("not", "compiled", str(database_settings.home)[-200:]))
    in_the_way = database_settings.var_dir / "scratch"
    in_the_way.write_bytes(b"a file where the compiler makes a folder")
    await by_hand(services, f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {model}")
    async with run_background_tasks(services):
        services.compile_queue.add(model)
        with pytest.raises(ModelNotLoaded, match="scratch"):
            services.status_reporter.require_ready()
        in_the_way.unlink()
        services.compile_queue.add(
            await register("second", 1, labels=("too", "not", str(database_settings.home)[-200:]))
        )
        await until_live(services, model)
        services.status_reporter.require_ready()
        async with asyncio.timeout(60):
            while (await services.registry.get(model + 1)).compile_state != "ready":
                await asyncio.sleep(0.05)


async def test_a_process_that_still_loads_does_not_claim_that_no_model_is_active(
    services: Services, register: Register, open_process: Opener
) -> None:
    await services.activation.activate(await register("first"), "test")
    other = await open_process()
    with pytest.raises(ModelNotLoaded, match="has not answered yet"):
        await other.predictor.choose(None)
    await other.reconciler.poll_once()
    assert (await other.predictor.choose(None))[1] == 1


async def test_events_that_cannot_be_sent_do_not_stop_the_reconciler(services: Services, register: Register) -> None:
    first, second = await register("first"), await register("second", 1)
    await services.activation.activate(first, "test")
    page = services.events.subscribe(None)
    async with run_background_tasks(services):
        await anext(page)
        await services.operations.activate(first, "test", wait=True)
        await by_hand(services, "UPDATE understudy_operations SET state = 'odd', updated_at = '2999-01-01 00:00:00'")
        async with asyncio.timeout(60):
            while not services.poll_loop._publish_failed:
                await asyncio.sleep(0.01)
        await by_hand(
            services,
            "UPDATE ml_models SET is_active = FALSE",
            f"UPDATE ml_models SET is_active = TRUE WHERE model_id = {second}",
        )
        await until_live(services, second)
    assert await anext(page, None) is None


async def test_an_outage_of_the_database_leaves_the_model_serving_and_ready(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    await services.activation.activate(model, "test")
    await services.reconciler.poll_once()

    @asynccontextmanager
    async def down(*_: object, **__: object) -> AsyncIterator[None]:
        raise DatabaseUnavailable("The database does not answer.")
        yield

    with monkeypatch.context() as outage:
        outage.setattr(services.database, "read", down)
        await services.reconciler.poll_once()
        assert live_id(services) == model
        services.status_reporter.require_ready()
        status = await services.status_reporter.status()
        assert status.database.problem is not None
        assert not status.database.reachable
    await services.reconciler.poll_once()
    assert services.reconciler.outage is None


async def test_a_look_at_the_registry_that_is_too_old_is_neither_ready_nor_in_sync(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await register("first")
    await services.activation.activate(model, "test")
    assert services.reconciler.registry_age_seconds is None
    await services.reconciler.poll_once()
    assert services.status_reporter.check_readiness(require_model=True).registry_age_seconds == pytest.approx(0, abs=30)
    later = time.monotonic() + services.settings.max_registry_age_seconds + 1
    with monkeypatch.context() as clock:
        clock.setattr("understudy.serving.sync.reconciler.time", SimpleNamespace(monotonic=lambda: later))
        with pytest.raises(RegistryOutdated, match=r"last read 6\d s ago"):
            services.status_reporter.require_ready()
        status = await services.status_reporter.status()
        assert not status.in_sync
        assert status.registry_age_seconds is not None
        assert status.registry_age_seconds > services.settings.max_registry_age_seconds
        assert live_id(services) == model
        await services.reconciler.poll_once()
        services.status_reporter.require_ready()


async def test_a_report_that_cannot_be_stored_is_no_outage_and_is_logged_once(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that became read only still says what should be live."""
    await services.activation.activate(await register("first"), "test")

    @asynccontextmanager
    async def read_only(*_: object, **__: object) -> AsyncIterator[None]:
        raise DatabaseDenied("The database is read-only.")
        yield

    monkeypatch.setattr(replica_reporter, "REPORT_SECONDS", 0.0)
    with monkeypatch.context() as change, capture_logs() as logs:
        change.setattr(services.database, "write", read_only)
        for _ in range(3):
            await services.reconciler.poll_once()
        assert services.reconciler.outage is None
        services.status_reporter.require_ready()
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["this server could not be reported"]
    await services.reconciler.poll_once()
    assert len((await services.status_reporter.status()).replicas) == 1


async def test_two_servers_with_the_same_host_name_and_process_id_are_both_listed(
    services: Services, open_process: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica_reporter, "REPORT_SECONDS", 0.0)
    fleet = (services, await open_process())
    assert len({each.reconciler.reporter.replica for each in fleet}) == 1
    for _ in range(2):
        for each in fleet:
            await each.reconciler.poll_once()
    listed = [each.replica for each in (await services.replica_reports.list()).replicas]
    assert sorted(listed) == sorted(each.reconciler.reporter.replica for each in fleet)
    assert len(set(listed)) == 2
