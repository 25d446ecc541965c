"""Signing in and out with a browser, and what other sites' pages cannot do with its cookie."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.access.conftest import ALLOWED_ORIGIN, PASSWORD, GuardedServer, bearer, cookie
from tests.api.asgi_exchange import AsgiExchange
from understudy.access.actions import Action
from understudy.api.access.session_cookie import NAME
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio

OWN = {"origin": "http://localhost"}


@pytest.fixture
async def browser(guarded: GuardedServer) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(guarded.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=OWN) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, name: str = "root", password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/v1/session", json={"name": name, "password": password})


async def test_a_person_signs_in_and_out(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/v1/models")).json()["code"] == "not_signed_in"
    before = (await browser.get("/api/v1/session")).json()
    assert (before["access"], before["signed_in"], before["permissions"]["activate"]["allowed"]) == (
        "required",
        False,
        False,
    )
    assert before["permissions"]["activate"]["reason"] == "Sign in first."
    answer = await sign_in(browser, "Root")
    assert (answer.json()["name"], answer.json()["role"], answer.json()["by_session"]) == ("root", "admin", True)
    assert all(each["allowed"] for each in answer.json()["permissions"].values())
    assert (await browser.get("/api/v1/models")).status_code == 200
    after = await browser.delete("/api/v1/session")
    assert after.json()["signed_in"] is False
    assert NAME not in browser.cookies
    assert (await browser.get("/api/v1/models")).status_code == 401


async def test_no_script_and_no_other_site_gets_the_cookie(browser: httpx.AsyncClient) -> None:
    [value] = (await sign_in(browser)).headers.get_list("set-cookie")
    parts = {part.strip().lower() for part in value.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert "secure" not in parts
    secure = await browser.post(
        "https://localhost/api/v1/session",
        json={"name": "root", "password": PASSWORD},
        headers={"origin": "https://localhost"},
    )
    assert "secure" in {part.strip().lower() for part in secure.headers["set-cookie"].split(";")[1:]}
    assert secure.headers["strict-transport-security"] == "max-age=31536000"


async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(browser: httpx.AsyncClient) -> None:
    for name, password in (("root", "wrong horse battery"), ("nobody", PASSWORD), ("\0", PASSWORD)):
        answer = await sign_in(browser, name, password)
        assert (answer.status_code, answer.json()["detail"]) == (401, "The name or the password is wrong.")
        assert "set-cookie" not in answer.headers
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_guessing_has_to_wait(browser: httpx.AsyncClient) -> None:
    for _ in range(5):
        assert (await sign_in(browser, "root", "wrong horse battery")).status_code == 401
    answer = await sign_in(browser)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_page_of_another_origin_cannot_use_the_session(guarded: GuardedServer) -> None:
    sent = cookie(await guarded.sign_in(Role.ADMIN))
    del sent["origin"]
    foreign = ("http://localhost:3000", "https://localhost:443", "http://evil.example", "null")
    sites: list[dict[str, str]] = [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]
    for headers in (*({"origin": origin} for origin in foreign), *sites):
        for path in ("/api/v1/models/rollback", "/api/v1/users", "/api/v1/session"):
            async with AsgiExchange(guarded.app, path, "POST", headers=sent | headers) as exchange:
                assert await exchange.read_status() == 403, (headers, path)
                assert json.loads((await exchange.read())["body"])["code"] == "foreign_origin"


async def test_a_websocket_of_another_origin_cannot_use_the_session(guarded: GuardedServer) -> None:
    sent = cookie(await guarded.sign_in(Role.ADMIN))
    del sent["origin"]
    async with AsgiExchange(guarded.app, "/api/v1/stream", headers=sent, websocket=True) as exchange:
        assert await exchange.read_status() == 403


async def test_a_page_that_is_allowed_uses_a_key_and_not_the_session_of_its_visitor(guarded: GuardedServer) -> None:
    origin = ALLOWED_ORIGIN
    session, key = await guarded.sign_in(Role.ADMIN), await guarded.make_key(Role.ADMIN)
    for headers, expected in ((cookie(session) | {"origin": origin}, 403), (bearer(key) | {"origin": origin}, 409)):
        async with AsgiExchange(guarded.app, "/api/v1/models/rollback", "POST", headers=headers) as exchange:
            assert await exchange.read_status() == expected


async def test_the_reason_why_something_is_not_allowed_names_the_roles(guarded: GuardedServer) -> None:
    key = await guarded.make_key(Role.VIEWER)
    async with AsgiExchange(guarded.app, "/api/v1/session", headers=bearer(key)) as exchange:
        assert await exchange.read_status() == 200
        state = json.loads((await exchange.read())["body"])
    assert set(state["permissions"]) == set(Action)
    assert state["permissions"]["activate"] == {
        "allowed": False,
        "reason": "Your role is viewer. To activate a model and roll back you need the role operator, editor or admin.",
    }


async def test_health_tells_a_stranger_up_or_down_and_no_more(
    guarded: GuardedServer, browser: httpx.AsyncClient
) -> None:
    key = await guarded.make_key(Role.VIEWER)
    for path in ("/health/ready", "/api/v1/health"):
        told = (await browser.get(path)).json()
        assert (told.pop("status"), told.pop("tensors_only")) == ("ready", False)
        assert set(told.values()) == {None}
        assert "No model is active" in (await browser.get(path, headers=bearer(key))).json()["note"]
        down = await browser.get(path, params={"model": "required"})
        assert (down.status_code, down.json()["code"], down.json()["detail"]) == (
            503,
            "unavailable",
            "The server is not ready.",
        )
        why = await browser.get(path, params={"model": "required"}, headers=bearer(key))
        assert why.json()["code"] == "no_active_model"
