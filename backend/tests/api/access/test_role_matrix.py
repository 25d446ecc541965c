"""Every route, WebSocket and event stream, asked with every role and every kind of credential."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.api.access.conftest import PEOPLE, GuardedServer, bearer, cookie, make_token
from tests.api.asgi_exchange import AsgiExchange
from understudy.access.actions import ALLOWED, PUBLIC, Action
from understudy.api.access.route_actions import iter_route_actions
from understudy.models import utc_now
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio

_VALUES = {
    "model_id": "1",
    "principal_id": "9999",
    "name": "none",
    "operation_id": "none",
    "request_id": "1",
    "version": "1",
    "model": "none",
    "session_id": "0" * 16,
}


@dataclass(frozen=True)
class Place:
    """A route that can be asked."""

    method: str
    path: str
    action: Action


def list_places(server: GuardedServer) -> list[Place]:
    places = [Place("GET", "/", Action.LOAD_PAGE), Place("GET", "/assets/index.js", Action.LOAD_PAGE)]
    for route, action in iter_route_actions(server.fastapi):
        assert action is not None
        template = getattr(route, "path_format", None) or getattr(route, "path", None)
        if template:  # the page's files have no template
            path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: _VALUES[found[1]], template)
            methods = sorted(route.methods or ()) or ["WEBSOCKET"]
            places += [Place(method, path, action) for method in methods if method != "HEAD"]
    return places


async def ask(server: GuardedServer, place: Place, headers: Mapping[str, str]) -> int:
    is_socket = place.method == "WEBSOCKET"
    method = "GET" if is_socket else place.method
    async with AsgiExchange(server.app, place.path, method, headers=headers, websocket=is_socket) as exchange:
        return await exchange.read_status()


def choose_one_of_each(places: list[Place]) -> list[Place]:
    """Return one place for each action, beside the WebSocket and the event stream.

    The guard refuses a credential that does not hold before any route is chosen; keys are tried on every route.
    """
    chosen = {place.action: place for place in places}
    chosen_paths = {place.path for place in chosen.values()} | {"/api/v1/stream", "/api/v1/events"}
    return [place for place in places if place.path in chosen_paths]


def change_end(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


class Tally:
    """Counts what was asked by kind of credential."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    async def check(
        self, server: GuardedServer, places: list[Place], kind: str, role: Role | None, headers: Mapping[str, str]
    ) -> None:
        """Ask every place; without a role the credential does not hold."""
        for place in places:
            status = await ask(server, place, headers)
            if place.action in PUBLIC or (role is not None and role in ALLOWED[place.action]):
                assert status not in {401, 403}, (kind, role, place, status)
            else:
                assert status == (401 if role is None else 403), (kind, role, place, status)
            self.counts[kind] += 1


def test_the_table_knows_every_action_and_gives_the_public_ones_to_everybody() -> None:
    assert set(ALLOWED) == set(Action)
    assert all(ALLOWED[action] == tuple(Role) for action in PUBLIC)
    assert Action.VIEW not in PUBLIC


async def test_a_caller_without_a_credential_gets_the_public_routes_only(guarded: GuardedServer) -> None:
    tally, places = Tally(), list_places(guarded)
    assert len(places) > 50
    for headers in (
        {},
        {"authorization": "Basic cHJveHk6cHJveHk="},
        bearer(""),
        bearer("usk_short"),
        {"cookie": "a=b"},
    ):
        await tally.check(guarded, places, "none", None, headers)


async def test_a_key_may_do_what_its_role_allows_and_nothing_once_it_does_not_hold(guarded: GuardedServer) -> None:
    tally, places = Tally(), list_places(guarded)
    for role in Role:
        valid, revoked, expired = [
            await guarded.make_key(role, f"{role}, {kind}") for kind in ("valid", "revoked", "expired")
        ]
        await guarded.access.keys.revoke(f"{role}, revoked", by="test")
        await guarded.expire_key(f"{role}, expired")
        await guarded.access.refresh()
        await tally.check(guarded, places, "valid", role, bearer(valid))
        await tally.check(guarded, places, "wrong", None, bearer(change_end(valid)))
        await tally.check(guarded, places, "revoked", None, bearer(revoked))
        await tally.check(guarded, places, "expired", None, bearer(expired))
    assert tally.counts == dict.fromkeys(("valid", "wrong", "revoked", "expired"), len(places) * len(Role))


async def test_a_session_may_do_what_the_persons_role_allows(guarded: GuardedServer) -> None:
    tally = Tally()
    # Signing out would end the session in the middle.
    places = [place for place in list_places(guarded) if (place.method, place.path) != ("DELETE", "/api/v1/session")]
    for role in PEOPLE:
        kinds = ("valid", "expired", "unused", "ended", "disabled")
        tokens = {"wrong": change_end(await guarded.sign_in(role))} | {
            kind: await guarded.sign_in(role, f"{role}, {kind}") for kind in kinds
        }
        await guarded.expire_sessions(f"{role}, expired", expires_at=utc_now() - timedelta(seconds=1))
        await guarded.expire_sessions(f"{role}, unused", last_seen_at=utc_now() - timedelta(days=1))
        await guarded.access.sign_ins.sign_out(tokens["ended"])
        disabled = await guarded.access.people.get_id(f"{role}, disabled")
        await guarded.access.people.update(disabled, disabled=True, by="test")
        await guarded.access.refresh()
        await tally.check(guarded, places, "valid", role, cookie(tokens.pop("valid")))
        for kind, token in tokens.items():
            await tally.check(guarded, choose_one_of_each(places), kind, None, cookie(token))


async def test_a_token_may_do_what_its_claim_says(guarded: GuardedServer) -> None:
    tally, places = Tally(), list_places(guarded)
    for role in PEOPLE:
        name = f"person, {role}"
        await tally.check(guarded, places, "valid", role, bearer(make_token(name, role)))
        wrong = make_token(name, role, secret="another secret of thirty-two characters")  # noqa: S106
        few = choose_one_of_each(places)
        await tally.check(guarded, few, "wrong", None, bearer(wrong))
        await tally.check(guarded, few, "expired", None, bearer(make_token(name, role, seconds=-60)))
        await guarded.access.people.update(await guarded.access.people.get_id(name), disabled=True, by="test")
        await guarded.access.refresh()
        await tally.check(guarded, few, "disabled", None, bearer(make_token(name, role)))


async def test_a_token_without_a_role_may_do_the_public_things_only(guarded: GuardedServer) -> None:
    for place in list_places(guarded):
        status = await ask(guarded, place, bearer(make_token("nobody", None)))
        assert (status == 403) is (place.action not in PUBLIC), place


async def test_only_operators_and_above_may_name_a_model_that_is_not_live(guarded: GuardedServer) -> None:
    for role in Role:
        headers = bearer(await guarded.make_key(role))
        for path in ("/api/v1/predict", "/api/v1/predict/batch", "/api/v1/stream"):
            is_socket = path.endswith("stream")
            exchange = AsgiExchange(guarded.app, path, "POST", "model_id=1", headers, websocket=is_socket)
            async with exchange:
                assert (await exchange.read_status() == 403) is (role in {Role.VIEWER, Role.DEVICE})
