"""A model that nobody confirms in time gives way to the one before, once, whichever server does it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.fault_points import act_at
from tests.postgres import only_sqlite
from tests.serving.conftest import Opener, Register
from tests.serving.policies.conftest import SetPolicies, find_live
from understudy.container import Services
from understudy.errors import Conflict, NothingToConfirm, WarmUpFailed
from understudy.models import Deployment, utc_now
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelUpdate

pytestmark = pytest.mark.anyio


@pytest.fixture
async def models(services: Services, register: Register, set_policies: SetPolicies) -> list[int]:
    """Three models, of which the first is live; the next that goes live must be confirmed."""
    ids = [await register("first"), await register("second", 1), await register("third", 2)]
    await services.activation.activate(ids[0], "test")
    await set_policies(confirm_minutes=5)
    return ids


async def let_it_pass(services: Services, *others: Services) -> None:
    """The deadline passes, and every server has looked at the database since."""
    async with services.database.write() as session:
        await session.execute(update(Deployment).values(confirm_by=utc_now() - timedelta(seconds=1)))
    for each in (services, *others):
        await each.reconciler.poll_once()


async def test_a_confirmed_model_stays(services: Services, models: list[int]) -> None:
    first, second, _ = models
    with pytest.raises(NothingToConfirm):
        await services.policies.confirm(None, "test")
    await services.operations.activate(second, "test", wait=True)
    waiting = (await services.policies.get_status()).confirmation
    assert waiting is not None
    assert (waiting.generation, waiting.model_id, waiting.return_model_id) == (2, second, first)
    assert 290 < waiting.seconds_left <= 300
    await services.reconciler.poll_once()
    assert await services.confirmation_guard.look() is False
    with pytest.raises(NothingToConfirm, match="generation 2 is, with model"):
        await services.policies.confirm(1, "test")
    assert (await services.policies.confirm(2, "test")).confirmation is None
    await services.reconciler.poll_once()
    assert await services.confirmation_guard.look() is False
    [entry] = (await services.registry.list_history(event="confirmed")).entries
    assert (entry.model_id, entry.generation) == (second, 2)


async def test_one_of_several_servers_returns_and_a_restart_forgets_nothing(
    services: Services, models: list[int], open_process: Opener
) -> None:
    first, second, _ = models
    await services.operations.activate(second, "test", wait=True)
    servers = [services, await open_process(), await open_process()]  # two of them have started since
    await let_it_pass(*servers)
    names = [each.reconciler.reporter.replica for each in servers]  # their next reports tell them apart
    returned = await asyncio.gather(*(each.confirmation_guard.look() for each in servers))
    assert sorted(returned) == [False, False, True]
    for each in servers:
        await each.reconciler.poll_once()
        assert await each.confirmation_guard.look() is False
        assert find_live(each) == first
    [entry] = (await services.registry.list_history(event="rolled_back")).entries
    assert entry.detail is not None
    assert f"Nobody confirmed model {second}" in entry.detail
    assert names[returned.index(True)] in entry.detail
    assert (entry.generation, entry.actor) == (3, "follow-up")
    assert (await services.registry.list_history(event="refused")).entries == []
    assert (await services.policies.get_status()).confirmation is None


@only_sqlite
async def test_a_word_at_the_last_moment_is_kept(
    services: Services, models: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.operations.activate(models[1], "test", wait=True)
    await let_it_pass(services)
    done = act_at(
        monkeypatch, services.confirmation_guard, "_claim", lambda: services.policies.confirm(2, "test"), when="before"
    )
    assert await services.confirmation_guard.look() is False
    assert done
    assert find_live(services) == models[1]


@only_sqlite
async def test_a_return_that_fails_is_tried_again_later(
    services: Services, models: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.operations.activate(models[1], "test", wait=True)
    await let_it_pass(services)

    async def fail(*_: object, **__: object) -> None:
        raise WarmUpFailed("There is no memory for it.")

    with monkeypatch.context() as broken:
        broken.setattr(services.activation._preparation, "prepare_activation", fail)
        with pytest.raises(WarmUpFailed):
            await services.confirmation_guard.look()
    assert await services.confirmation_guard.look() is False, "the claim holds for a minute"
    async with services.database.write() as session:
        await session.execute(update(Deployment).values(return_claimed_until=utc_now()))
    assert await services.confirmation_guard.look() is True
    assert find_live(services) == models[0]


@only_sqlite
async def test_a_model_that_nobody_confirmed_is_not_what_is_returned_to(services: Services, models: list[int]) -> None:
    first, second, third = models
    await services.operations.activate(second, "test", wait=True)
    await services.operations.activate(third, "test", wait=True)
    waiting = (await services.policies.get_status()).confirmation
    assert waiting is not None
    assert (waiting.model_id, waiting.return_model_id) == (third, first)
    await services.operations.activate(first, "test", wait=True)
    assert (await services.policies.get_status()).confirmation is None, "it is the one that was to be returned to"


@only_sqlite
async def test_a_rollback_needs_no_confirmation(services: Services, models: list[int]) -> None:
    await services.operations.activate(models[1], "test", wait=True)
    await services.operations.roll_back("test", wait=True)
    assert (find_live(services), (await services.policies.get_status()).confirmation) == (models[0], None)


async def test_the_way_back_stays_open(services: Services, models: list[int]) -> None:
    first, second, _ = models
    await services.operations.activate(second, "test", wait=True)
    with pytest.raises(Conflict, match=f"Model {first} cannot be deleted: it is live again unless"):
        await services.registry.delete(first, "test")
    with pytest.raises(Conflict, match="another file or spec"):
        await services.registry.update(first, ModelUpdate(spec=PartialSpec(labels=["x", "y", "z"])), "test")
    await services.registry.update(first, ModelUpdate(description="still described"), "test")
    await services.policies.confirm(2, "test")
    await services.registry.delete(first, "test")


@only_sqlite
async def test_the_first_model_has_nothing_to_return_to(
    services: Services, register: Register, set_policies: SetPolicies
) -> None:
    await set_policies(confirm_minutes=5)
    await services.operations.activate(await register("first"), "test", wait=True)
    assert (await services.policies.get_status()).confirmation is None


@only_sqlite
async def test_a_rollback_to_a_model_that_nobody_confirmed_must_be_confirmed(
    services: Services, models: list[int]
) -> None:
    first, second, _ = models
    await services.operations.activate(second, "test", wait=True)
    await services.operations.roll_back("test", wait=True)
    await services.operations.roll_back("test", wait=True)
    waiting = (await services.policies.get_status()).confirmation
    assert find_live(services) == second
    assert waiting is not None
    assert (waiting.model_id, waiting.return_model_id) == (second, first)
    await services.operations.activate(first, "test", wait=True)
    await services.operations.roll_back("test", wait=True)
    assert (await services.policies.get_status()).confirmation is not None
    await services.policies.confirm(None, "test")
    await services.operations.activate(first, "test", wait=True)
    await services.policies.confirm(None, "test")
    await services.operations.roll_back("test", wait=True)
    assert (await services.policies.get_status()).confirmation is None, "somebody confirmed it when it was live last"
