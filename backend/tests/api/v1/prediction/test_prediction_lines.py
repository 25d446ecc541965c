"""A prediction line by line: the windows come while the others are scored, and the last line is the answer."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from tests.api.asgi_exchange import AsgiExchange
from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.inference.pipeline import window_reporter
from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

LINES = "application/x-ndjson"
LONG = tone(60.0)


@pytest.fixture
def report_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports windows after each run, so that a test needs no recording of an hour. The models compute here."""
    monkeypatch.setenv("UNDERSTUDY_TEST_WORKERS", "0")
    monkeypatch.setattr(window_reporter, "INTERVAL_SECONDS", 0.0)


@pytest.fixture
async def live(
    report_at_once: None, client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory
) -> dict[str, Any]:
    return await activate(client, settings, make_model)


async def activate(client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory) -> dict[str, Any]:
    make_model(settings.models_dir / "live.onnx", winner=1, sensitive=True)
    body = {"model_name": "live", "file_path": "models/live.onnx", "version": "v1"}
    model: dict[str, Any] = (await client.post("/api/v1/models", json=body)).json()
    assert (await client.post(f"/api/v1/models/{model['model_id']}/activate")).status_code == 200
    return model


async def predict(
    client: httpx.AsyncClient, content: bytes, query: dict[str, str] | None = None, accept: str = "*/*"
) -> httpx.Response:
    headers = {"content-type": "audio/wav", "accept": accept}
    return await client.post("/api/v1/predict", content=content, headers=headers, params=query)


def read_lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-accel-buffering"] == "no"
    return [json.loads(line) for line in answer.text.splitlines()]


def drop_times(prediction: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in prediction.items() if name != "timing_ms"}


async def test_windows_come_first_and_the_last_line_is_the_plain_answer(
    client: httpx.AsyncClient, live: dict[str, Any]
) -> None:
    plain = (await predict(client, LONG, {"source": "barn"})).json()
    started, *parts, last = read_lines(await predict(client, LONG, {"source": "barn"}, accept=LINES))
    assert started == {"type": "started", "model": plain["model"], "generation": plain["generation"]}
    assert last["type"] == "prediction"
    assert drop_times(last["prediction"]) == drop_times(plain)
    assert plain["source"] == "barn"
    assert {part["type"] for part in parts} == {"windows"}
    windows = [window for part in parts for window in part["windows"]]
    assert windows == plain["windows"][: len(windows)]
    assert len(windows) > len(plain["windows"]) / 2


async def test_a_short_recording_has_only_its_answer(
    client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory, wav: bytes
) -> None:
    await activate(client, settings, make_model)
    lines = read_lines(await predict(client, wav, accept="application/json;q=0.5, Application/X-NDJSON; q=1"))
    assert [line["type"] for line in lines] == ["started", "prediction"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/event-stream"])
async def test_another_accept_gives_the_plain_answer(
    client: httpx.AsyncClient, live: dict[str, Any], wav: bytes, accept: str
) -> None:
    answer = await predict(client, wav, accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["model"]["model_id"] == live["model_id"]


async def test_a_recording_that_is_refused_at_once_is_refused_as_without_lines(
    client: httpx.AsyncClient, live: dict[str, Any]
) -> None:
    plain, lines = [await predict(client, b"no audio at all" * 9, accept=accept) for accept in ("*/*", LINES)]
    assert (lines.status_code, lines.json()) == (plain.status_code, plain.json())
    assert (await predict(client, LONG, {"model_id": "99"}, accept=LINES)).status_code == 404


async def test_an_error_after_windows_is_the_last_line(client: httpx.AsyncClient, live: dict[str, Any]) -> None:
    cut = LONG[:-32_000]
    refusal = (await predict(client, cut, {"strict": "true"})).json()
    assert refusal["code"] == "audio_unusable"
    *parts, last = read_lines(await predict(client, cut, {"strict": "true"}, accept=LINES))
    assert [part["type"] for part in parts[:2]] == ["started", "windows"]
    assert last == {"type": "problem", "problem": refusal}
    assert 'understudy_refusals_total{code="audio_unusable"} 2.0' in (await client.get("/metrics")).text


async def test_an_unforeseen_error_after_windows_is_a_problem_too(
    client: httpx.AsyncClient, live: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("understudy.serving.prediction.predictor._build_result", fail)
    last = read_lines(await predict(client, LONG, accept=LINES))[-1]
    assert (last["type"], last["problem"]["code"]) == ("problem", "internal_error")


async def test_the_work_of_a_client_that_has_gone_is_cancelled(
    report_at_once: None,
    settings: Settings,
    migrated: None,
    shared_store: None,
    make_model: ModelFactory,
) -> None:
    app = create_app(settings)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await activate(client, settings, make_model)
        headers = {"content-type": "audio/wav", "accept": LINES}
        night = tone(600.0)
        async with AsgiExchange(manager.app, "/api/v1/predict", "POST", headers=headers, body=night) as exchange:
            assert await exchange.read_status() == 200
            while b'"windows"' not in (await exchange.read())["body"]:
                pass
            exchange.received.put_nowait({"type": "http.disconnect"})
            rest = b"".join(message.get("body", b"") for message in await exchange.read_to_end())
        assert b'"type":"prediction"' not in rest
        async with asyncio.timeout(30):
            while any("predict_with" in str(task) for task in asyncio.all_tasks()):
                await asyncio.sleep(0.01)
