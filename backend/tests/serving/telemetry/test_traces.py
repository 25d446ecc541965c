"""Spans of a request, of the phases of a prediction and of the steps of an activation."""

from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from asgi_lifespan import LifespanManager
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.sample_files import tone
from tests.types import ModelFactory
from understudy.main import create_app
from understudy.serving.telemetry.traces import Traces
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(Traces, "export", lambda: Traces(SimpleSpanProcessor(exporter)))
    return exporter


@pytest.fixture
async def client(
    settings: Settings, migrated: None, shared_store: None, make_model: ModelFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A server with traces and one live model."""
    make_model(settings.models_dir / "barks.onnx")
    app = create_app(settings.model_copy(update={"traces": True}))
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            body = {"model_name": "barks", "file_path": "models/barks.onnx"}
            (await client.post("/api/v1/models", json=body)).raise_for_status()
            (await client.post("/api/v1/models/1/activate")).raise_for_status()
            yield client


def _name(spans: tuple[ReadableSpan, ...]) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans}


async def test_a_prediction_has_a_span_for_each_phase_below_the_callers_own(
    exporter: InMemorySpanExporter, client: httpx.AsyncClient
) -> None:
    exporter.clear()
    answer = await client.post(
        "/api/v1/predict",
        content=tone(1.0),
        headers={"content-type": "audio/wav", "traceparent": PARENT, "x-request-id": "gate-7"},
    )
    spans = _name(exporter.get_finished_spans())
    request = spans["POST /api/v1/predict"]
    assert request.parent is not None
    assert f"{request.parent.trace_id:032x}" == PARENT.split("-")[1]
    assert request.attributes is not None
    assert (request.attributes["http.response.status_code"], request.attributes["understudy.request_id"]) == (
        200,
        "gate-7",
    )
    assert [name for name in spans if name in {"queue", "decode", "features", "inference"}] == [
        "queue",
        "decode",
        "features",
        "inference",
    ]
    timing = answer.json()["timing_ms"]
    for name in ("queue", "decode", "features", "inference"):
        span = spans[name]
        assert span.parent is not None
        assert request.context is not None
        assert span.parent.span_id == request.context.span_id
        assert span.end_time is not None
        assert span.start_time is not None
        assert (span.end_time - span.start_time) / 1e6 == pytest.approx(timing[name], abs=1e-3)
        assert span.attributes is not None
        assert span.attributes["understudy.model_digest"] == answer.json()["model"]["digest"]


async def test_an_activation_has_a_span_for_each_step(
    exporter: InMemorySpanExporter, client: httpx.AsyncClient
) -> None:
    spans = _name(exporter.get_finished_spans())
    steps = [name for name in spans if name.startswith("activate ")]
    assert steps == [f"activate {step}" for step in ("verify", "compile", "warm_up", "commit", "swap")]
    activation, request = spans["activate"], spans["POST /api/v1/models/{model_id}/activate"]
    assert {spans[name].parent.span_id for name in steps} == {activation.context.span_id}  # type: ignore[union-attr]
    assert activation.parent.span_id == request.context.span_id  # type: ignore[union-attr]


async def test_a_refusal_and_an_unknown_route_are_named_by_their_template(
    exporter: InMemorySpanExporter, client: httpx.AsyncClient
) -> None:
    exporter.clear()
    await client.get("/api/v1/models/99")
    await client.get("/api/v9/secret-of-somebody")
    spans = exporter.get_finished_spans()
    assert [(span.name, span.attributes["http.response.status_code"]) for span in spans if span.attributes] == [
        ("GET /api/v1/models/{model_id}", 404),
        ("GET other", 404),
    ]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ExportTraceServiceRequest]]:
    """The requests that a receiver of OTLP gets."""
    received: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield received
        server.shutdown()


async def test_spans_are_sent_by_otlp_when_the_server_stops_at_the_latest(
    collector: list[ExportTraceServiceRequest], settings: Settings, migrated: None
) -> None:
    app = create_app(settings.model_copy(update={"traces": True}))
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        transport = httpx.ASGITransport(manager.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await client.get("/api/v1/models")
    resources = [each for request in collector for each in request.resource_spans]
    names = [span.name for each in resources for scope in each.scope_spans for span in scope.spans]
    assert names == ["GET /api/v1/models"]
    services = [(each.key, each.value.string_value) for each in resources[0].resource.attributes]
    assert ("service.name", "understudy") in services


def test_without_the_setting_nothing_is_imported_and_nothing_is_done() -> None:
    traces = Traces()
    assert not traces.is_enabled
    with traces.follow_request("GET", "/", {}, "id") as note:
        note("/", 200)
    traces.close()
