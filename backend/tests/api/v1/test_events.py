"""Pages follow what happens, whichever process did it."""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.types import ModelFactory
from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.registry.registry import Registry
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.server.event import Heartbeat, Hello
from understudy.serving.sync import event_stream
from understudy.serving.sync.replica_reporter import ReplicaReporter
from understudy.settings import Settings

Message = dict[str, Any]


@contextmanager
def follow(server: str, last_id: int | None = None) -> Iterator[Iterator[Message]]:
    headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
    with httpx.stream("GET", f"http://{server}/api/v1/events", headers=headers, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _messages(answer)


def _messages(answer: httpx.Response) -> Iterator[Message]:
    message: Message = {}
    for line in answer.iter_lines():
        field, _, value = line.partition(": ")
        if field == "data":
            message["data"] = json.loads(value)
        elif field in {"id", "event"}:
            message[field] = value
        elif not line and "event" in message:
            yield message
            message = {}


def _changes(messages: Iterator[Message], change: str) -> Iterator[Message]:
    return (message for message in messages if message["data"].get("change") == change)


def _skip_to(messages: Iterator[Message], event: str) -> Message:
    return next(message for message in messages if message["event"] == event)


@pytest.fixture
def model(server: str, settings: Settings, make_model: ModelFactory) -> int:
    make_model(settings.models_dir / "one.onnx")
    body = {"model_name": "one", "file_path": "models/one.onnx"}
    model_id: int = httpx.post(f"http://{server}/api/v1/models", json=body).json()["model_id"]
    return model_id


def test_an_activation_is_reported_step_by_step(server: str, model: int) -> None:
    with follow(server) as messages:
        assert next(messages)["event"] == "hello"
        httpx.post(f"http://{server}/api/v1/models/{model}/activate", timeout=60).raise_for_status()
        stage = _skip_to(messages, "stage")
        assert stage["data"]["model"]["model_id"] == model
        operation = next(m for m in messages if m["event"] == "operation" and m["data"]["state"] == "succeeded")
        assert operation["data"]["step"] == "swap"


@pytest.mark.anyio
async def test_a_registration_by_another_process_is_reported(
    server: str, settings: Settings, make_model: ModelFactory
) -> None:
    make_model(settings.models_dir / "other.onnx")
    with follow(server) as messages:
        next(messages)
        async with Database(settings) as database:
            registry = Registry(settings, database)
            model = await registry.register(ModelCreate(model_name="o", file_path="models/other.onnx"), "script")
        message = _skip_to(messages, "models")
    assert message["data"]["model_id"] == model.model_id
    assert message["data"]["change"] == "registered"


def test_a_page_that_reconnects_misses_nothing(server: str, model: int) -> None:
    with follow(server) as messages:
        position = int(next(messages)["id"])
    httpx.patch(f"http://{server}/api/v1/models/{model}", json={"version": "v2"}).raise_for_status()
    httpx.patch(f"http://{server}/api/v1/models/{model}", json={"version": "v3"}).raise_for_status()
    with follow(server, position) as messages:
        assert next(messages)["event"] == "hello"
        # The model compiles in the background meanwhile, so that other changes may lie between.
        updates = list(itertools.islice(_changes(messages, "updated"), 2))
    assert [update["data"]["model_id"] for update in updates] == [model, model]


def test_an_idle_connection_gets_heartbeats_without_an_id(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.1)
    with follow(server) as messages:
        heartbeat = _skip_to(messages, "heartbeat")
    assert "id" not in heartbeat
    assert heartbeat["data"]["read_at"] <= heartbeat["data"]["at"]


@pytest.mark.anyio
async def test_a_heartbeat_says_when_the_database_was_last_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.01)
    async with Database(settings) as database:
        await schema.migrate(database)
        reporter = ReplicaReporter(database)
        events = event_stream.Events(database, reporter)
        reporter.replica = "another:1"  # it met a server of the same name
        messages = events.subscribe(None)
        hello = (await anext(messages)).data
        assert isinstance(hello, Hello)
        assert hello.replica == "another:1"
        read = [(await anext(messages)).data for _ in range(2)]
        await events.tick()
        read.append((await anext(messages)).data)
        await messages.aclose()
    before, still, after = (beat.read_at for beat in read if isinstance(beat, Heartbeat))
    assert before == still < after
