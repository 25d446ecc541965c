"""An activation can wait for every server, names those that do not follow, and takes the fleet back."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fault_points import act_at
from tests.postgres import only_sqlite
from tests.serving.conftest import Opener, Register
from understudy.container import Services
from understudy.errors import DatabaseUnavailable, RolloutFailed, WarmUpFailed
from understudy.registry.deployment import desired_state
from understudy.schemas.server.operation import Operation, OperationState
from understudy.schemas.server.rollout import RolloutOptions

pytestmark = pytest.mark.anyio

PATIENT = RolloutOptions(timeout_seconds=60)
Fleet = Callable[[int], Awaitable[list[Services]]]
Stocked = Callable[[int], Awaitable[tuple[list[Services], int, int]]]


@pytest.fixture
def start_fleet(services: Services, open_process: Opener) -> Fleet:
    """Opens servers that have reported; nothing runs in the background. The first one is `services`."""

    async def start(size: int) -> list[Services]:
        fleet = [services, *[await open_process() for _ in range(size - 1)]]
        for number, each in enumerate(fleet, 1):
            each.reconciler.reporter.replica = f"host-{number}:{number}"
        await poll(*fleet)
        return fleet

    return start


@pytest.fixture
def start_with_first(start_fleet: Fleet, register: Register) -> Stocked:
    """Opens servers that serve the first of two models; returns them and the models' ids."""

    async def start(size: int) -> tuple[list[Services], int, int]:
        fleet = await start_fleet(size)
        first, second = await register("first"), await register("second", 1)
        await fleet[0].activation.activate(first, "test")
        await poll(*fleet)
        return fleet, first, second

    return start


async def poll(*fleet: Services) -> None:
    for each in fleet:
        await each.reconciler.poll_once()


def poll_at_look(monkeypatch: pytest.MonkeyPatch, *fleet: Services, look: int = 1) -> list[None]:
    """The servers look at the database right before the rollout looks at their reports for the first time."""
    return act_at(
        monkeypatch, fleet[0].replica_reports, "read_progress", lambda: poll(*fleet), when="before", call=look
    )


def refuse_to_load(monkeypatch: pytest.MonkeyPatch, *fleet: Services) -> None:
    async def fail(*_: object) -> None:
        raise WarmUpFailed("There is no memory for it.")

    for each in fleet:
        monkeypatch.setattr(each.reconciler._preparation, "prepare_desired", fail)


async def activate(services: Services, model_id: int, rollout: RolloutOptions) -> Operation:
    return await services.operations.activate(model_id, "test", wait=True, rollout=rollout)


async def find_desired(services: Services) -> tuple[int | None, int]:
    async with services.database.read() as session:
        found = await desired_state.poll(session)
    return found.active_model_id, found.generation


async def test_the_answer_comes_when_every_server_serves_the_model(
    start_fleet: Fleet, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = await start_fleet(3)
    looked = poll_at_look(monkeypatch, *fleet, look=2)
    operation = await activate(fleet[0], await register("first"), PATIENT)
    assert looked
    assert operation.rollout is not None
    assert (operation.rollout.complete, operation.rollout.replicas, operation.rollout.behind) == (True, 3, ())
    assert operation.rollout.generation == operation.generation == 1
    assert (await fleet[2].operations.get(operation.operation_id)).rollout == operation.rollout


@only_sqlite
async def test_a_server_with_a_newer_generation_is_not_behind(
    start_fleet: Fleet, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = await start_fleet(2)
    second = await register("second", 1)

    async def activate_another() -> None:
        await other.activation.activate(second, "test")
        await poll(first, other)

    act_at(monkeypatch, first.replica_reports, "read_progress", activate_another, when="before")
    operation = await activate(first, await register("first"), PATIENT)
    assert operation.rollout is not None
    assert (operation.rollout.complete, operation.rollout.generation) == (True, 1)
    assert await find_desired(first) == (second, 2)


async def test_servers_behind_are_named_and_do_not_fail_the_activation(
    start_with_first: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    (good, failing, silent), first, second = await start_with_first(3)
    with monkeypatch.context() as broken:
        refuse_to_load(broken, failing)
        looked = poll_at_look(monkeypatch, good, failing)
        operation = await activate(good, second, RolloutOptions(timeout_seconds=0.01))
    assert looked
    assert (operation.state, operation.generation) == (OperationState.SUCCEEDED, 2)
    assert operation.rollout is not None
    assert (operation.rollout.complete, operation.rollout.replicas) == (False, 3)
    named = {each.replica: each for each in operation.rollout.behind}
    assert {name: (each.state, each.model_id, each.generation) for name, each in named.items()} == {
        failing.reconciler.reporter.replica: ("failed", first, 1),
        silent.reconciler.reporter.replica: ("live", first, 1),
    }
    assert (reason := named[failing.reconciler.reporter.replica].error) is not None
    assert (reason.code, reason.detail) == ("warm_up_failed", "There is no memory for it.")
    assert 0 <= named[silent.reconciler.reporter.replica].reported_seconds_ago < 30
    failing.reconciler._retry_at = 0.0
    await poll(failing)
    states = {each.replica: (each.state, each.model_id) for each in (await good.replica_reports.list()).replicas}
    assert states[failing.reconciler.reporter.replica] == ("live", second)


async def test_the_fleet_returns_to_the_model_before_when_too_many_servers_fail(
    start_with_first: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, first, second = await start_with_first(3)
    refuse_to_load(monkeypatch, *fleet[1:])
    poll_at_look(monkeypatch, *fleet)
    with pytest.raises(RolloutFailed) as failed:
        await activate(fleet[0], second, RolloutOptions(timeout_seconds=0.01, fail_fleet=0.5))
    reason = f"2 of 3 servers could not load model {second}, generation 2"
    names = ", ".join(f"host-{number}:{number} (warm_up_failed: There is no memory for it)" for number in (2, 3))
    assert failed.value.detail == f"{reason}: {names}. The fleet was returned to model {first}, generation 3."
    assert await find_desired(fleet[0]) == (first, 3)
    [back, *_] = (await fleet[0].registry.list_history(first)).entries
    assert (back.event, back.generation, back.detail, back.actor) == ("rolled_back", 3, f"{reason}.", "test")
    assert fleet[0].live.current is not None
    assert (fleet[0].live.current.model.identity.model_id, fleet[0].live.current.generation) == (first, 3)


@only_sqlite
async def test_the_operation_of_a_fleet_that_returned_is_stored_as_failed(
    start_with_first: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, _, second = await start_with_first(1)
    refuse_to_load(monkeypatch, *fleet)

    async def fail_here() -> None:
        """As a server of its own: this one serves the model already."""
        current = fleet[0].live.current
        fleet[0].live._current = None
        await poll(*fleet)
        fleet[0].live._current = current

    act_at(monkeypatch, fleet[0].replica_reports, "read_progress", fail_here, when="before")
    started = await fleet[0].operations.activate(
        second, "test", wait=False, rollout=RolloutOptions(timeout_seconds=0.01, fail_fleet=0.0)
    )
    async with asyncio.timeout(30):
        while (stored := await fleet[0].operations.get(started.operation_id)).error is None:
            await asyncio.sleep(0.01)
    assert (stored.state, stored.model, stored.error.code) == (OperationState.FAILED, None, "rollout_failed")


@only_sqlite
async def test_a_share_that_is_not_exceeded_returns_nothing(
    start_with_first: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, _, second = await start_with_first(2)
    refuse_to_load(monkeypatch, fleet[1])
    poll_at_look(monkeypatch, *fleet)
    operation = await activate(fleet[0], second, RolloutOptions(timeout_seconds=0.01, fail_fleet=0.5))
    assert operation.rollout is not None
    assert [each.replica for each in operation.rollout.behind] == [fleet[1].reconciler.reporter.replica]
    assert await find_desired(fleet[0]) == (second, 2)


@only_sqlite
async def test_the_failure_of_an_earlier_model_does_not_count(
    start_with_first: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, first, second = await start_with_first(2)
    refuse_to_load(monkeypatch, fleet[1])
    await fleet[0].activation.activate(first, "test")
    await poll(*fleet)
    operation = await activate(fleet[0], second, RolloutOptions(timeout_seconds=0.01, fail_fleet=0.0))
    assert operation.rollout is not None
    named = {each.replica: each.state for each in operation.rollout.behind}
    assert named[fleet[1].reconciler.reporter.replica] == "failed"
    assert await find_desired(fleet[0]) == (second, 3)


@only_sqlite
@pytest.mark.parametrize("case", ["another went live", "the same before", "none before"])
async def test_a_fleet_that_has_nothing_to_return_to_stays(
    start_fleet: Fleet, register: Register, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    fleet = await start_fleet(2)
    first, second = await register("first"), await register("second", 1)
    if case != "none before":
        await fleet[0].activation.activate(first, "test")
    refuse_to_load(monkeypatch, fleet[1])
    poll_at_look(monkeypatch, *fleet)
    chosen, outcome, expected = {
        "another went live": (second, "Another model went live than that of generation 2", (first, 3)),
        "the same before": (first, "the same model was live before", (first, 2)),
        "none before": (first, "no registered model was live before", (first, 1)),
    }[case]
    if case == "another went live":
        returning = fleet[0].operations._rollouts
        act_at(
            monkeypatch,
            returning,
            "_activate_before",
            lambda: fleet[1].activation.activate(first, "somebody"),
            when="before",
        )
    with pytest.raises(RolloutFailed, match=f"The fleet was not returned: {outcome}"):
        await activate(fleet[0], chosen, RolloutOptions(timeout_seconds=0.01, fail_fleet=0.4))
    assert await find_desired(fleet[0]) == expected


@only_sqlite
async def test_a_rollback_waits_for_every_server_too(
    start_with_first: Stocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, first, second = await start_with_first(2)
    await fleet[0].activation.activate(second, "test")
    poll_at_look(monkeypatch, *fleet)
    operation = await fleet[0].operations.roll_back("test", wait=True, rollout=PATIENT)
    assert operation.rollout is not None
    assert (operation.model_id, operation.rollout.complete, operation.rollout.generation) == (first, True, 3)


@only_sqlite
async def test_reports_that_cannot_be_read_do_not_fail_the_activation(
    services: Services, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: int) -> None:
        raise DatabaseUnavailable("It does not answer.")

    monkeypatch.setattr(services.replica_reports, "read_progress", fail)
    operation = await activate(services, await register("first"), RolloutOptions(timeout_seconds=0.01, fail_fleet=0.0))
    assert operation.state is OperationState.SUCCEEDED
    assert operation.rollout is not None
    assert not operation.rollout.complete
    assert operation.rollout.problem is not None
    assert operation.rollout.problem.code == "database_unavailable"


@only_sqlite
async def test_a_process_that_stops_does_not_wait_for_other_servers(start_fleet: Fleet, register: Register) -> None:
    fleet = await start_fleet(2)
    model = await register("first")
    waiting = asyncio.create_task(activate(fleet[0], model, RolloutOptions(timeout_seconds=600, fail_fleet=0.0)))
    async with asyncio.timeout(30):
        while fleet[0].live.current is None:
            await asyncio.sleep(0.01)
        await fleet[0].operations.close()
        operation = await waiting
    assert operation.rollout is not None
    assert (operation.state, operation.rollout.complete) == (OperationState.SUCCEEDED, False)


@only_sqlite
async def test_no_server_at_all_is_a_complete_rollout(services: Services, register: Register) -> None:
    """The command line works on a database without a server."""
    operation = await activate(services, await register("first"), PATIENT)
    assert operation.rollout is not None
    assert (operation.rollout.complete, operation.rollout.replicas) == (True, 0)
