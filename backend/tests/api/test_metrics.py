"""Metrics as Prometheus reads them."""

import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.types import ModelFactory
from understudy.main import create_app
from understudy.settings import Settings

DOCS = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse(page: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


class Scrape:
    """One scrape; `of` reads a sample, 0 where there is none."""

    def __init__(self, page: str) -> None:
        self.samples = parse(page)

    def of(self, name: str, **labels: str) -> float:
        return self.samples.get((name, frozenset(labels.items())), 0)

    def live(self) -> list[dict[str, str]]:
        return [dict(labels) for name, labels in self.samples if name == "understudy_live_model_info"]

    def named(self, name: str) -> Iterator[dict[str, str]]:
        return (dict(labels) for found, labels in self.samples if found == name)


async def scrape(client: httpx.AsyncClient) -> Scrape:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(answer.text)


@pytest.fixture
async def models(client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory) -> list[int]:
    """Two registered models; none is live."""
    ids = []
    for index, name in enumerate(("first", "second")):
        make_model(settings.models_dir / f"{name}.onnx", winner=index)
        body = {"model_name": name, "file_path": f"models/{name}.onnx", "version": "1"}
        ids.append((await client.post("/api/v1/models", json=body)).json()["model_id"])
    return ids


@pytest.mark.anyio
class TestOverAsgi:
    async def test_a_client_that_left_is_no_refusal(self, settings: Settings) -> None:
        """It was counted as 422, as if the request had been wrong."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/api/v1/predict",
            "raw_path": b"/api/v1/predict",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost"), (b"content-type", b"audio/wav"), (b"content-length", b"100")],
        }
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": b"RIFF", "more_body": True},
            {"type": "http.disconnect"},
        ]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop(0)

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async with LifespanManager(create_app(settings), startup_timeout=60) as manager:
            await manager.app(scope, receive, send)
            transport = httpx.ASGITransport(manager.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                after = await scrape(client)
        labels = {"route": "/api/v1/predict", "method": "POST"}
        assert sent[0]["status"] == 499
        assert after.of("understudy_requests_total", status="499", **labels) == 1
        assert after.of("understudy_requests_total", status="422", **labels) == 0
        assert not list(after.named("understudy_refusals_total"))

    async def test_counters_move_as_requests_happen(
        self, client: httpx.AsyncClient, models: list[int], wav: bytes
    ) -> None:
        before = await scrape(client)
        await client.post(f"/api/v1/models/{models[0]}/activate")
        for _ in range(3):
            await client.post("/api/v1/predict", content=wav, headers={"content-type": "audio/wav"})
        await client.post("/api/v1/predict", content=b"no sound", headers={"content-type": "audio/wav"})
        after = await scrape(client)
        for status, count in (("200", 3), ("415", 1)):
            labels = {"route": "/api/v1/predict", "method": "POST", "status": status}
            assert after.of("understudy_requests_total", **labels) == count
        for stage in ("queue", "decode", "features", "inference", "total"):
            assert after.of("understudy_prediction_seconds_count", stage=stage) == 3
            assert after.of("understudy_prediction_seconds_bucket", stage=stage, le="+Inf") == 3
        assert after.of("understudy_prediction_seconds_sum", stage="total") > 0
        assert after.of("understudy_refusals_total", code="not_audio") == 1
        assert after.of("understudy_swaps_total") == before.of("understudy_swaps_total") + 1
        assert after.of("understudy_load_seconds_count") == 1
        assert after.of("understudy_in_sync") == after.of("understudy_database_up") == 1
        assert after.of("understudy_queue_depth") == after.of("understudy_open_streams") == 0

    async def test_one_scrape_knows_one_live_model_and_its_generation(
        self, client: httpx.AsyncClient, models: list[int]
    ) -> None:
        assert (await scrape(client)).live() == []
        seen = []
        for model_id in (*models, models[0]):
            live = (await client.post(f"/api/v1/models/{model_id}/activate")).json()
            status = (await client.get("/api/v1/status")).json()["live"]
            now = await scrape(client)
            [info] = now.live()
            assert info["model_id"] == str(model_id)
            assert info["digest"] == status["model"]["digest"]
            assert (info["name"], info["version"]) == (status["model"]["model_name"], "1")
            assert info["precision"] == "float32"
            assert now.of("understudy_generation") == live["generation"]
            seen.append(live["generation"])
        assert seen == sorted(set(seen))

    async def test_labels_are_templates_whatever_a_client_asks_for(
        self, client: httpx.AsyncClient, models: list[int]
    ) -> None:
        for path in ("/api/v1/models/1", "/api/v1/models/2", "/api/v1/models/999", "/nothing/here", "/api/nothing"):
            await client.get(path)
        await client.request("BREW", "/api/v1/models")
        await client.get("/api/v1/models", headers={"host": "evil.example"})
        now = await scrape(client)
        requests = {tuple(labels.values()): labels for labels in now.named("understudy_requests_total")}
        assert {labels["route"] for labels in requests.values()} <= {
            "/api/v1/models",
            "/api/v1/models/{model_id}",
            "/metrics",
            "other",
        }
        one = "/api/v1/models/{model_id}"
        assert now.of("understudy_requests_total", route=one, method="GET", status="200") == 2
        assert now.of("understudy_requests_total", route=one, method="GET", status="404") == 1
        assert now.of("understudy_requests_total", route="other", method="GET", status="404") >= 1
        assert now.of("understudy_requests_total", route="other", method="GET", status="403") == 1
        assert now.of("understudy_requests_total", route="/api/v1/models", method="other", status="405") == 1
        assert now.of("understudy_refusals_total", code="foreign_host") == 1

    async def test_a_refused_activation_is_counted_by_its_code(
        self, client: httpx.AsyncClient, models: list[int], settings: Settings
    ) -> None:
        assert ("understudy_activation_refusals_total", frozenset({("code", "file_missing")})) in (
            await scrape(client)
        ).samples, "increase() needs a zero before the first one"
        (settings.models_dir / "first.onnx").unlink()
        assert (await client.post(f"/api/v1/models/{models[0]}/activate")).status_code == 422
        now = await scrape(client)
        assert now.of("understudy_activation_refusals_total", code="file_missing") == 1
        assert now.of("understudy_swaps_total") == 0

    async def test_the_documentation_lists_every_metric_and_no_other(
        self, client: httpx.AsyncClient, models: list[int], settings: Settings, wav: bytes
    ) -> None:
        await client.post(f"/api/v1/models/{models[0]}/activate")
        (settings.models_dir / "second.onnx").unlink()
        await client.post(f"/api/v1/models/{models[1]}/activate")
        (await client.post("/api/v1/predict?source=attic", files={"a": ("x", wav)})).raise_for_status()
        rows = []
        for family in text_string_to_metric_families((await client.get("/metrics")).text):
            if family.name.startswith("understudy_"):
                names = {label: None for sample in family.samples for label in sample.labels if label != "le"}
                name = family.name + "_total" * (family.type == "counter")
                labels = ", ".join(f"`{label}`" for label in names)
                rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
        assert [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith("| `")] == rows

    async def test_openmetrics_for_those_who_accept_it(self, client: httpx.AsyncClient) -> None:
        await client.get("/health/live")
        answer = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
        assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        families = {family.name: family for family in openmetrics(answer.text)}  # type: ignore[no-untyped-call]
        assert families["understudy_requests"].type == "counter"
        assert families["understudy_build"].type == "info"


def test_streams_are_counted_while_they_are_open(server: str) -> None:
    def now() -> Scrape:
        return Scrape(httpx.get(f"http://{server}/metrics").text)

    with connect(f"ws://{server}/api/v1/stream") as connection:
        assert now().of("understudy_open_streams") == 1
        connection.send('{"sample_rate": 16000, "encoding": "pcm16"}')
        assert json.loads(connection.recv())["problem"]["code"] == "no_active_model"
    with connect(f"ws://{server}/api/v1/stream?model_id=none") as connection:
        message = json.loads(connection.recv())
        assert (message["type"], message["problem"]["code"]) == ("error", "request_invalid")
        assert message["problem"]["errors"][0]["where"] == "query.model_id"
    after = now()
    handshakes = {"route": "/api/v1/stream", "method": "WEBSOCKET", "status": "101"}
    assert after.of("understudy_requests_total", **handshakes) == 2
    assert after.of("understudy_streams_total") == 1
    assert after.of("understudy_open_streams") == 0
    assert after.of("understudy_refusals_total", code="no_active_model") == 1
    assert after.of("understudy_refusals_total", code="request_invalid") == 1
