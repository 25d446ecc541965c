"""Event streams and WebSockets end soon after their caller's right."""

import json
from collections.abc import Awaitable, Callable

import pytest

from tests.api.access.conftest import PASSWORD, GuardedServer, bearer, cookie, make_token
from tests.api.asgi_exchange import AsgiExchange
from understudy.access import access
from understudy.schemas.access.role import Role

pytestmark = pytest.mark.anyio

Change = Callable[[GuardedServer], Awaitable[object]]


async def revoke(server: GuardedServer) -> None:
    await server.access.keys.revoke("listener", by="another process")


async def expire(server: GuardedServer) -> None:
    await server.expire_key("listener")
    await server.access.people.add("somebody", Role.VIEWER, PASSWORD, by="another process")


def test_another_process_is_heard_of_within_the_second_that_the_docs_promise() -> None:
    assert access._LOOK_SECONDS < 1.0


@pytest.mark.parametrize("change", [revoke, expire])
async def test_an_event_stream_says_goodbye_when_its_key_ends(guarded: GuardedServer, change: Change) -> None:
    key = await guarded.make_key(Role.VIEWER, "listener")
    async with AsgiExchange(guarded.app, "/api/v1/events", headers=bearer(key)) as stream:
        assert await stream.read_status() == 200
        assert b"hello" in (await stream.read())["body"]
        await change(guarded)
        last = (await stream.read_to_end())[-1]
    assert last == {"type": "http.response.body", "body": b": goodbye: the sign-in ended\n\n", "more_body": False}


async def test_a_websocket_gets_the_reason_when_its_key_is_revoked(guarded: GuardedServer) -> None:
    key = await guarded.make_key(Role.DEVICE, "listener")
    async with AsgiExchange(guarded.app, "/api/v1/stream", headers=bearer(key), websocket=True) as stream:
        assert await stream.read_status() == 101
        await revoke(guarded)
        *_, message, close = await stream.read_to_end()
    assert json.loads(message["text"])["problem"]["code"] == "not_signed_in"
    assert (close["type"], close["code"]) == ("websocket.close", 1008)


@pytest.mark.parametrize("everywhere", [False, True])
async def test_signing_out_ends_the_streams_of_the_session(guarded: GuardedServer, everywhere: bool) -> None:
    token = await guarded.sign_in(Role.VIEWER, "eve")
    other = (await guarded.access.sign_ins.sign_in("eve", PASSWORD, "127.0.0.1")).token
    async with (
        AsgiExchange(guarded.app, "/api/v1/events", headers=cookie(other)) as stream,
        AsgiExchange(guarded.app, "/api/v1/events", headers=cookie(token)) as own,
    ):
        assert await stream.read_status() == await own.read_status() == 200
        query = "everywhere=true" if everywhere else ""
        async with AsgiExchange(guarded.app, "/api/v1/session", "DELETE", query, headers=cookie(token)) as sign_out:
            assert await sign_out.read_status() == 200
        assert (await own.read_to_end())[-1]["more_body"] is False
        assert b"hello" in (await stream.read())["body"]
        if everywhere:
            assert (await stream.read_to_end())[-1]["more_body"] is False
        else:
            assert b"heartbeat" in (await stream.read())["body"]


async def test_a_change_of_role_ends_the_stream_so_that_the_client_connects_anew(guarded: GuardedServer) -> None:
    token = await guarded.sign_in(Role.VIEWER, "eve")
    async with AsgiExchange(guarded.app, "/api/v1/events", headers=cookie(token)) as stream:
        assert await stream.read_status() == 200
        await guarded.access.people.update(await guarded.access.people.get_id("eve"), role=Role.EDITOR, by="test")
        assert (await stream.read_to_end())[-1]["more_body"] is False
    async with AsgiExchange(guarded.app, "/api/v1/events", headers=cookie(token)) as stream:
        assert await stream.read_status() == 200


async def test_a_stream_ends_when_its_token_expires(guarded: GuardedServer) -> None:
    # The leeway for clocks that differ is 30 s.
    token = make_token("ada", seconds=-29)
    async with AsgiExchange(guarded.app, "/api/v1/events", headers=bearer(token)) as stream:
        assert await stream.read_status() == 200
        assert (await stream.read_to_end(3.0))[-1]["more_body"] is False
