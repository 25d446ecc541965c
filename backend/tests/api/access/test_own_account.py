"""One's own password and sessions, and an admin who signs a person out, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from tests.api.access.conftest import PASSWORD, GuardedServer, bearer, cookie, make_token
from understudy.access.accounts.browser_name import name_browser, shorten_agent
from understudy.models import utc_now
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "another horse battery"  # noqa: S105


@asynccontextmanager
async def open_browser(server: GuardedServer, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"origin": "http://localhost"} if token is None else cookie(token)
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    return await client.post("/api/v1/session", json={"name": name, "password": password})


async def change_password(client: httpx.AsyncClient, current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await client.put("/api/v1/account/password", json=body)


async def test_a_new_password_ends_the_other_sessions_and_keeps_this_browser(guarded: GuardedServer) -> None:
    other = await guarded.sign_in(Role.VIEWER, "ada")
    async with open_browser(guarded) as browser:
        await sign_in(browser, "ada", PASSWORD)
        before = browser.cookies["understudy_session"]
        answer = await change_password(browser, PASSWORD, NEW_PASSWORD)
        assert [each["is_current"] for each in answer.json()["sessions"]] == [True]
        assert browser.cookies["understudy_session"] != before
        assert (await browser.get("/api/v1/models")).status_code == 200
        assert PASSWORD not in answer.text
        assert NEW_PASSWORD not in answer.text
    async with open_browser(guarded) as stranger:
        for token in (other, before):
            assert (await stranger.get("/api/v1/models", headers=cookie(token))).status_code == 401
        assert (await sign_in(stranger, "ada", PASSWORD)).status_code == 401
        assert (await sign_in(stranger, "ada", NEW_PASSWORD)).status_code == 200


async def test_a_session_is_no_way_to_guess_the_password(guarded: GuardedServer) -> None:
    async with open_browser(guarded, await guarded.sign_in(Role.VIEWER, "ada")) as browser:
        for _ in range(5):
            wrong = await change_password(browser, "wrong horse battery", NEW_PASSWORD)
            assert (wrong.status_code, wrong.json()["code"]) == (422, "password_refused")
            assert wrong.json()["detail"] == "The current password is wrong."
        waits = await change_password(browser, PASSWORD, NEW_PASSWORD)
        assert (waits.status_code, waits.json()["code"]) == (429, "too_many_attempts")


async def test_a_new_password_that_is_too_short_changes_nothing(guarded: GuardedServer) -> None:
    async with open_browser(guarded, await guarded.sign_in(Role.VIEWER, "ada")) as browser:
        short = await change_password(browser, PASSWORD, "short")
        assert (short.json()["code"], short.json()["detail"]) == ("password_refused", "The password has 5 characters.")
        assert (await browser.get("/api/v1/models")).status_code == 200


async def test_a_key_and_an_identity_have_no_password_and_no_sessions(guarded: GuardedServer) -> None:
    async with open_browser(guarded) as client:
        for token in (await guarded.make_key(Role.EDITOR), make_token("ada", "editor")):
            client.headers = httpx.Headers(bearer(token))
            refused = await change_password(client, PASSWORD, NEW_PASSWORD)
            assert (refused.status_code, refused.json()["code"]) == (422, "account_refused")
            assert (await client.get("/api/v1/account/sessions")).json() == {"sessions": []}


async def test_a_person_sees_and_ends_their_own_sessions_only(guarded: GuardedServer) -> None:
    first = await guarded.sign_in(Role.VIEWER, "ada")
    second = (await guarded.access.sign_ins.sign_in("ada", PASSWORD, "127.0.0.1")).token
    grace = await guarded.sign_in(Role.ADMIN, "grace")
    async with open_browser(guarded, second) as browser:
        listed = (await browser.get("/api/v1/account/sessions")).json()["sessions"]
        assert [each["is_current"] for each in listed].count(True) == 1
        [other] = [each["session_id"] for each in listed if not each["is_current"]]
        assert other not in first
        async with open_browser(guarded, grace) as stranger:
            refused = await stranger.delete(f"/api/v1/account/sessions/{other}")
            assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")
        assert len((await browser.delete(f"/api/v1/account/sessions/{other}")).json()["sessions"]) == 1
        assert (await browser.delete(f"/api/v1/account/sessions/{other}")).status_code == 404
        assert (await browser.get("/api/v1/models", headers=cookie(first))).status_code == 401


async def test_sessions_that_have_ended_are_not_listed(guarded: GuardedServer) -> None:
    await guarded.sign_in(Role.VIEWER, "ada")
    await guarded.expire_sessions("ada", last_seen_at=utc_now() - timedelta(days=1))
    current = (await guarded.access.sign_ins.sign_in("ada", PASSWORD, "127.0.0.1")).token
    async with open_browser(guarded, current) as browser:
        assert len((await browser.get("/api/v1/account/sessions")).json()["sessions"]) == 1


async def test_an_admin_signs_a_person_out_everywhere(guarded: GuardedServer) -> None:
    ada = await guarded.sign_in(Role.VIEWER, "ada")
    principal_id = await guarded.access.people.get_id("ada")
    async with open_browser(guarded, await guarded.sign_in(Role.ADMIN, "grace")) as browser:
        ended = await browser.delete(f"/api/v1/users/{principal_id}/sessions")
        assert (ended.status_code, ended.json()["name"]) == (200, "ada")
        assert (await browser.get("/api/v1/models", headers=cookie(ada))).status_code == 401
        assert (await browser.delete("/api/v1/users/9999/sessions")).json()["code"] == "user_not_found"
        assert (await browser.get("/api/v1/models")).status_code == 200


async def test_sessions_are_told_apart_by_their_browser(guarded: GuardedServer) -> None:
    await guarded.sign_in(Role.VIEWER, "ada")
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    async with open_browser(guarded) as browser:
        body = {"name": "ada", "password": PASSWORD}
        await browser.post("/api/v1/session", json=body, headers={"user-agent": agent})
        listed = (await browser.get("/api/v1/account/sessions")).json()["sessions"]
    assert [each["browser"] for each in listed] == ["Firefox on Linux", None]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5\x1b[31m" + "x" * 400, "curl/8.5[31m" + "x" * 48),
        ("", None),
        (None, None),
    ],
)
def test_a_browser_is_named_by_what_it_says_of_itself(agent: str | None, name: str | None) -> None:
    assert name_browser(shorten_agent(agent)) == name
