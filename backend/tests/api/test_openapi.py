"""The OpenAPI document that clients are generated from is the one this server gives."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from understudy.api.openapi import build_components
from understudy.audio.decoding.audio_limits import MAX_CHANNELS, MAX_RATE, MIN_RATE
from understudy.main import create_app
from understudy.schemas.inference.recording import RecordingFields
from understudy.schemas.server.event import EventData, EventName
from understudy.settings import Settings

EXPORTED = Path(__file__).resolve().parents[2] / "openapi.json"


@pytest.fixture(scope="module")
def document(module_settings: Settings) -> dict[str, Any]:
    return create_app(module_settings).openapi()


def test_the_exported_document_is_current(document: dict[str, Any]) -> None:
    """`make openapi` renews it."""
    assert json.loads(EXPORTED.read_text(encoding="utf-8")) == json.loads(json.dumps(document))


def test_every_route_has_a_summary_and_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route.get("summary"), (method, path)
            for status, response in route["responses"].items():
                if status >= "4":
                    assert set(response["content"]) == {"application/problem+json"}, (method, path, status)


def test_every_operation_that_not_everybody_may_ask_for_describes_its_refusals(document: dict[str, Any]) -> None:
    paths = document["paths"]
    public = {path for path in paths if "health" in path or path.startswith("/api/v1/session")}
    assert len(public) > 3
    for path, methods in paths.items():
        for operation in methods.values():
            assert {"401", "403", "429"} <= set(operation["responses"]) or path in public, path
            if path not in public:
                limited = operation["responses"]["429"]["content"]["application/problem+json"]
                assert "limit_reached" in limited["examples"], path


@pytest.mark.parametrize("path", ["/api/v1/models", "/api/v1/predict", "/api/v1/models/{model_id}/activate"])
def test_the_documented_routes_show_examples_of_their_errors(document: dict[str, Any], path: str) -> None:
    for route in document["paths"][path].values():
        errors = [response for status, response in route["responses"].items() if status >= "4"]
        assert all(response["content"]["application/problem+json"]["examples"] for response in errors)


def test_messages_of_streams_and_events_refer_to_the_shapes_that_the_routes_use(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {name: schemas[name] for name in build_components()} == build_components()
    assert set(schemas["StreamMessage"]["discriminator"]["mapping"]) == {
        "ready",
        "window",
        "swap",
        "heartbeat",
        "error",
    }
    assert set(EventData.model_fields) == set(get_args(EventName))


def test_the_limits_of_raw_samples_are_those_of_the_decoders() -> None:
    fields = RecordingFields.model_json_schema()["properties"]
    rate, channels = (fields[name]["anyOf"][0] for name in ("rate", "channels"))
    assert (rate["minimum"], rate["maximum"], channels["maximum"]) == (MIN_RATE, MAX_RATE, MAX_CHANNELS)


def test_no_reference_of_the_document_leads_nowhere(document: dict[str, Any]) -> None:
    references = set(_find_references(document))
    assert references
    for reference in references:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def _find_references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        for each in part.values():
            yield from _find_references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _find_references(each)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "parameter", "limit"),
    [
        ("/api/v1/metrics/summary", "minutes", 60),
        ("/api/v1/models", "limit", 500),
        ("/api/v1/history", "limit", 500),
        ("/api/v1/models/{model_id}", "model_id", 2**31 - 1),
    ],
)
async def test_the_limits_that_the_document_gives_are_the_ones_that_the_server_keeps(
    module_client: httpx.AsyncClient, document: dict[str, Any], path: str, parameter: str, limit: int
) -> None:
    [declared] = [each["schema"] for each in document["paths"][path]["get"]["parameters"] if each["name"] == parameter]
    assert declared["maximum"] == limit
    for value, refused in ((limit, False), (limit + 1, True)):
        in_path = f"{{{parameter}}}" in path
        answer = await module_client.get(
            path.replace(f"{{{parameter}}}", str(value)), params={} if in_path else {parameter: value}
        )
        assert (answer.status_code == 422) is refused
