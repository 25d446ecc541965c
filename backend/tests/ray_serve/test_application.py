"""A replica's application: its start, its health and its drain, without Ray."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from tests.types import ModelFactory
from understudy.container import Services
from understudy.errors import BackgroundTaskDown, ModelNotLoaded
from understudy.ray_serve import health
from understudy.ray_serve.application import ReplicaApplication
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("migrated", "shared_store")]


@dataclass
class Replica:
    """A replica that runs, and the mark with which Ray drains it."""

    application: ReplicaApplication
    draining: bool = False
    client: httpx.AsyncClient = field(init=False)

    @property
    def services(self) -> Services:
        services: Services = self.application._state["services"]
        return services


@asynccontextmanager
async def run(settings: Settings) -> AsyncIterator[Replica]:
    replica = Replica(ReplicaApplication(settings, lambda: replica.draining))
    async with (
        LifespanManager(replica.application, startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(transport=httpx.ASGITransport(manager.app), base_url="http://localhost") as client,
    ):
        replica.client = client
        yield replica


class Socket:
    """A WebSocket connection of the application; `sent` has what it sent, `given` what it receives."""

    def __init__(self, application: ReplicaApplication) -> None:
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.given: asyncio.Queue[Any] = asyncio.Queue()
        scope = {
            "type": "websocket",
            "path": "/api/v1/stream",
            "raw_path": b"/api/v1/stream",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "subprotocols": [],
            "client": ("127.0.0.1", 1),
            "scheme": "ws",
        }
        self.given.put_nowait({"type": "websocket.connect"})
        self.running = asyncio.ensure_future(application(scope, self.given.get, self.sent.put))

    async def receive(self) -> Any:
        async with asyncio.timeout(20):
            return await self.sent.get()


async def test_requests_get_the_state_of_the_lifespan_and_no_second_request_id(settings: Settings) -> None:
    async with run(settings) as replica:
        answer = await replica.client.get("/health/ready")
        assert answer.is_success
        assert "x-request-id" not in answer.headers
        replica.application.check_health()


async def test_the_drain_ends_streams_with_a_goodbye_and_answers_requests(
    settings: Settings, make_model: ModelFactory
) -> None:
    make_model(settings.home / "models" / "one.onnx", winner=0)
    async with run(settings) as replica:
        body = {"model_name": "One", "file_path": "models/one.onnx"}
        (await replica.client.post("/api/v1/models", json=body)).raise_for_status()
        activated = await replica.client.post("/api/v1/models/1/activate", params={"wait": "true"}, timeout=60)
        activated.raise_for_status()
        socket = Socket(replica.application)
        assert (await socket.receive())["type"] == "websocket.accept"
        socket.given.put_nowait({"type": "websocket.receive", "text": '{"sample_rate": 16000, "encoding": "pcm16"}'})
        assert json.loads((await socket.receive())["text"])["type"] == "ready"
        replica.draining = True
        goodbye = json.loads((await socket.receive())["text"])
        assert goodbye["problem"]["code"] == "server_stopping"
        assert await socket.receive() == {"type": "websocket.close", "code": 1001, "reason": ""}
        async with asyncio.timeout(20):
            await socket.running
        assert replica.services.events.closed
        assert (await replica.client.get("/health/ready")).is_success


async def test_a_start_that_fails_is_the_reason_of_the_first_health_check(
    settings: Settings, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health.wait_until_ready, "__defaults__", (0.2,))
    file = settings.home / "models" / "one.onnx"
    make_model(file, winner=2)
    async with run(settings) as replica:
        body = {"model_name": "One", "file_path": "models/one.onnx"}
        (await replica.client.post("/api/v1/models", json=body)).raise_for_status()
        activated = await replica.client.post("/api/v1/models/1/activate", params={"wait": "true"}, timeout=60)
        activated.raise_for_status()
    for report in settings.compiled_dir.glob("*"):
        (report / "model.onnx").unlink()
    file.write_bytes(b"another file")
    failed = ReplicaApplication(settings, lambda: False)
    async with LifespanManager(failed, startup_timeout=60, shutdown_timeout=60):
        with pytest.raises(ModelNotLoaded):
            failed.check_health()


async def test_a_replica_is_kept_that_answers_with_the_last_known_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run(settings) as replica:
        services = replica.services
        monkeypatch.setattr(type(services.reconciler), "outdated", property(lambda _: True))
        assert (await replica.client.get("/health/ready")).status_code == 503
        replica.application.check_health()


async def test_a_replica_that_does_not_follow_the_registry_is_replaced(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run(settings) as replica:
        monkeypatch.setattr(replica.services.supervisor, "find_problem", lambda: BackgroundTaskDown("down"))
        with pytest.raises(BackgroundTaskDown):
            replica.application.check_health()
