"""With four eyes an activation waits for a second person, and does then what was asked for or nothing."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.fault_points import act_at
from tests.postgres import only_sqlite
from tests.serving.conftest import Register
from tests.serving.policies.conftest import AddPerson, SetPolicies, find_live
from understudy.container import Services
from understudy.errors import (
    ApprovalNeeded,
    ApprovalRefused,
    RequestClosed,
    RequestNotFound,
    RequestStale,
    WarmUpFailed,
)
from understudy.models import AccessKey, ActivationRequestRow, Principal, utc_now
from understudy.schemas.access.actor import SYSTEM_USER, ActingPrincipal, Actor, Source
from understudy.schemas.access.role import Role
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.server.policies import ActivationRequest
from understudy.serving.activation.permit import RETURN

pytestmark = pytest.mark.anyio

AT_THE_SHELL = Actor(Source.CLI, ActingPrincipal(None, "root", SYSTEM_USER))


async def ask(services: Services, model_id: int, actor: Actor, reason: str | None = None) -> ActivationRequest:
    """Ask for an activation, which waits; return its request."""
    with pytest.raises(ApprovalNeeded) as refused:
        await services.operations.activate(model_id, actor, wait=True, reason=reason)
    found = (await services.policies.get_status()).requests
    assert f"request {found[-1].request_id} " in refused.value.detail
    return found[-1]


async def read_state(services: Services, request_id: int) -> str:
    async with services.database.read() as session:
        row = await session.get(ActivationRequestRow, request_id)
        assert row is not None
        return row.state


async def test_a_second_person_makes_it_live_and_the_history_names_both(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    model = await register("first")
    await set_policies(four_eyes=True)
    request = await ask(services, model, anna, "better recall")
    assert (request.state, request.model_name, request.reason) == ("pending", "first", "better recall")
    assert request.requested_by is not None
    assert request.requested_by.name == "anna"
    assert find_live(services) is None
    assert (await ask(services, model, anna)).request_id == request.request_id, "asking again makes no second request"
    operation = await services.approvals.approve(request.request_id, boris, wait=True)
    assert (operation.generation, find_live(services)) == (1, model)
    history = (await services.registry.list_history(model, event=("requested", "approved", "activated"))).entries
    assert [(each.event, each.principal.name if each.principal else None) for each in reversed(history)] == [
        ("requested", "anna"),
        ("approved", "boris"),
        ("activated", "boris"),
    ]
    assert history[0].detail == f"Asked for by anna (request {request.request_id}). better recall"
    assert (await services.policies.get_status()).requests == ()
    with pytest.raises(RequestClosed, match=r"was approved and done by boris at"):
        await services.approvals.approve(request.request_id, await add_person("clara"), wait=True)


@only_sqlite
async def test_nobody_is_the_second_person_of_their_own_request(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna = await add_person("anna")
    annas_key = await add_person("annas key", speaks_for=anna)
    nobodys_key = await add_person("ci", key=True)
    viewers_key = await add_person("of a viewer", speaks_for=await add_person("vera", Role.VIEWER))
    model = await register("first")
    await set_policies(four_eyes=True)
    for asking, refused in ((anna, annas_key), (annas_key, anna)):
        request = await ask(services, model, asking)
        with pytest.raises(ApprovalRefused, match="was made by the person for whom"):
            await services.approvals.approve(request.request_id, refused, wait=True)
    for other, why in (
        (nobodys_key, "speaks for nobody"),
        (viewers_key, "vera may not activate"),
        (AT_THE_SHELL, "has no account here"),
        (Actor(Source.API), "is not signed in"),
    ):
        with pytest.raises(ApprovalRefused, match=why):
            await services.approvals.approve(request.request_id, other, wait=True)
    for other in (nobodys_key, viewers_key, Actor(Source.API)):
        with pytest.raises(ApprovalRefused, match="needs two people"):
            await services.operations.activate(model, other, wait=True)
    assert find_live(services) is None
    request = await ask(services, model, AT_THE_SHELL)
    await services.approvals.approve(request.request_id, annas_key, wait=True)
    assert find_live(services) == model
    with pytest.raises(RequestNotFound):
        await services.approvals.approve(2**31, anna, wait=True)


async def test_of_two_words_at_once_one_counts(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna, boris, clara = [await add_person(name) for name in ("anna", "boris", "clara")]
    await services.activation.activate(await register("first"), "test")
    await set_policies(four_eyes=True)
    request = await ask(services, await register("second", 1), anna)
    words = [services.approvals.approve(request.request_id, each, wait=True) for each in (boris, clara)]
    outcomes = await asyncio.gather(*words, return_exceptions=True)
    [refused] = [each for each in outcomes if isinstance(each, BaseException)]
    assert isinstance(refused, RequestClosed)
    assert services.live.current is not None
    assert services.live.current.generation == 2
    assert await read_state(services, request.request_id) == "done"


async def test_a_declined_and_an_expired_request_end(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    model = await register("first")
    await set_policies(four_eyes=True)
    request = await ask(services, model, anna)
    declined = await services.approvals.decline(request.request_id, boris, "wrong file")
    assert (declined.state, declined.decision_reason) == ("declined", "wrong file")
    with pytest.raises(RequestClosed, match="was declined by boris"):
        await services.approvals.approve(request.request_id, boris, wait=True)
    request = await ask(services, model, anna)
    async with services.database.write() as session:
        await session.execute(update(ActivationRequestRow).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert (await services.policies.get_status()).requests == ()
    with pytest.raises(RequestClosed, match="expired"):
        await services.approvals.approve(request.request_id, boris, wait=True)
    [latest] = (await services.registry.list_history(model, event="declined")).entries
    assert latest.detail == "Request 1 of anna. wrong file"


@only_sqlite
@pytest.mark.parametrize("change", ["disabled", "no longer an operator", "gone", "spec", "switched"])
async def test_a_request_about_something_else_by_now_is_refused(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies, change: str
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    model, other = await register("first"), await register("other", 1)
    await set_policies(four_eyes=True)
    request = await ask(services, model, anna)
    if change == "spec":
        update_spec = ModelUpdate(spec=PartialSpec(labels=["x", "y", "z"]))
        await services.registry.update(model, update_spec, "test")
    elif change == "switched":
        await services.activation.activate(other, "test", permit=RETURN)
    else:
        assert anna.principal is not None
        async with services.database.write() as session:
            person = await session.get(Principal, anna.principal.principal_id)
            assert person is not None
            if change == "gone":
                await session.delete(person)
            elif change == "disabled":
                person.disabled_at = utc_now()
            else:
                person.role = Role.VIEWER
    with pytest.raises(RequestStale):
        await services.approvals.approve(request.request_id, boris, wait=True)
    assert find_live(services) == (other if change == "switched" else None)


@only_sqlite
async def test_a_key_that_was_revoked_or_given_to_another_person_asks_no_longer(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    boris = await add_person("boris")
    key = await add_person("key", speaks_for=await add_person("anna"))
    await set_policies(four_eyes=True)
    request = await ask(services, await register("first"), key)
    for values in ({"person_id": boris.principal and boris.principal.principal_id}, {"revoked_at": utc_now()}):
        async with services.database.write() as session:
            await session.execute(update(AccessKey).values(**values))
        with pytest.raises(RequestStale, match="key, who made request 1"):
            await services.approvals.approve(request.request_id, await add_person(f"third {values}"), wait=True)


@only_sqlite
@pytest.mark.parametrize("change", ["spec", "switched"])
async def test_what_changes_between_the_word_and_the_switch_stops_it(
    services: Services,
    register: Register,
    add_person: AddPerson,
    set_policies: SetPolicies,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    model, other = await register("first"), await register("other", 1)
    await set_policies(four_eyes=True)
    request = await ask(services, model, anna)

    async def interfere() -> None:
        if change == "spec":
            await services.registry.update(model, ModelUpdate(spec=PartialSpec(labels=["x", "y", "z"])), "test")
        else:
            await services.activation.activate(other, "test", permit=RETURN)

    done = act_at(monkeypatch, services.approvals, "_decide", interfere)
    with pytest.raises(RequestStale):
        await services.approvals.approve(request.request_id, boris, wait=True)
    assert done
    assert find_live(services) == (other if change == "switched" else None)
    assert await read_state(services, request.request_id) == "failed"


@only_sqlite
async def test_a_policy_that_is_set_while_a_model_is_prepared_holds(
    services: Services,
    register: Register,
    set_policies: SetPolicies,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = await register("first")
    done = act_at(
        monkeypatch, services.activation._preparation, "prepare_activation", lambda: set_policies(four_eyes=True)
    )
    with pytest.raises(ApprovalNeeded, match="since a moment ago"):
        await services.operations.activate(model, "test", wait=True)
    assert done
    assert find_live(services) is None


@only_sqlite
async def test_an_approved_model_that_cannot_be_loaded_ends_the_request(
    services: Services,
    register: Register,
    add_person: AddPerson,
    set_policies: SetPolicies,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    await set_policies(four_eyes=True)
    request = await ask(services, await register("first"), anna)

    async def fail(*_: object, **__: object) -> None:
        raise WarmUpFailed("There is no memory for it.")

    monkeypatch.setattr(services.activation._preparation, "prepare_activation", fail)
    with pytest.raises(WarmUpFailed):
        await services.approvals.approve(request.request_id, boris, wait=True)
    with pytest.raises(RequestClosed, match="has failed"):
        await services.approvals.approve(request.request_id, boris, wait=True)


@only_sqlite
async def test_a_rollback_waits_too_and_is_approved_as_one(
    services: Services, register: Register, add_person: AddPerson, set_policies: SetPolicies
) -> None:
    anna, boris = await add_person("anna"), await add_person("boris")
    first, second = await register("first"), await register("second", 1)
    for model in (first, second):
        await services.activation.activate(model, "test")
    await set_policies(four_eyes=True)
    with pytest.raises(ApprovalNeeded):
        await services.operations.roll_back(anna, wait=True)
    [request] = (await services.policies.get_status()).requests
    operation = await services.approvals.approve(request.request_id, boris, wait=True)
    assert (operation.kind, find_live(services)) == ("rollback", first)
    [entry] = (await services.registry.list_history(event="rolled_back")).entries
    assert entry.principal is not None
    assert entry.principal.name == "boris"


@only_sqlite
async def test_a_return_to_safety_is_not_held(
    services: Services, register: Register, set_policies: SetPolicies
) -> None:
    first, second = await register("first"), await register("second", 1)
    for model in (first, second):
        await services.activation.activate(model, "test")
    always = {"begins": "2020-01-01 00:00", "ends": "2999-01-01 00:00", "time_zone": "UTC"}
    await set_policies(four_eyes=True, freezes=[always], confirm_minutes=5)
    await services.operations.return_to_previous(Source.FOLLOW_UP, instead_of=2)
    assert find_live(services) == first
    assert (await services.policies.get_status()).confirmation is None
