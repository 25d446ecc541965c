"""The id of a request: on every answer, in every log line about it, and never anything else than an id."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from asgi_lifespan import LifespanManager
from starlette.types import Message, Receive, Scope, Send

from understudy.api.middleware.request_ids import RequestIds
from understudy.main import create_app
from understudy.registry.registry import Registry
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def client(module_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(module_settings)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


async def test_every_answer_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    paths = ("/health/live", "/api/v1/models/99", "/api/nothing", "/docs")
    answers = [await client.get(path) for path in (*paths, *paths)]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 200] * 2
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)
    assert len(set(ids)) == len(ids)


async def test_the_lines_of_the_log_name_the_id_that_the_client_sent(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "audio/wav", "x-request-id": "gate-7/a"}
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        answer = await client.post("/api/v1/predict", content=b"x", headers=headers)
    assert answer.headers["x-request-id"] == "gate-7/a"
    refused = [line for line in lines if line["event"] == "request refused"]
    assert [(line["code"], line["request_id"]) for line in refused] == [("no_active_model", "gate-7/a")]


@pytest.mark.parametrize("sent", [b"", b"a b", b'a"b', b"a{b}", b"x" * 129, b"\xe4"])
async def test_what_is_no_id_is_not_taken(client: httpx.AsyncClient, sent: bytes) -> None:
    answer = await client.get("/health/live", headers={b"x-request-id": sent})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


async def test_an_unforeseen_error_has_the_id_too(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(Registry, "get", fail)
    answer = await client.get("/api/v1/models/1", headers={"x-request-id": "mine"})
    assert answer.status_code == 500
    assert answer.headers.get_list("x-request-id") == ["mine"]
    assert "X-Request-ID" in answer.json()["remedy"]


async def test_the_handshake_of_a_live_stream_has_the_id() -> None:
    sent: list[Message] = []

    async def accept(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "headers": [(b"a", b"b")]})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await RequestIds(accept)({"type": "websocket", "headers": [(b"x-request-id", b"mine")]}, receive, send)
    assert sent == [{"type": "websocket.accept", "headers": [(b"a", b"b"), (b"x-request-id", b"mine")]}]
