"""No client can fill the memory with JSON."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from understudy.api.uploads.json_route import MAX_JSON_BYTES, JsonRoute
from understudy.main import create_app
from understudy.settings import Settings

JSON = {"content-type": "application/json"}
ROUTES = [
    ("POST", "/api/v1/models"),
    ("PUT", "/api/v1/models/1"),
    ("PATCH", "/api/v1/models/1"),
    ("POST", "/v2/repository/index"),
]


async def endless() -> AsyncIterator[bytes]:
    yield b'{"model_name": "'
    while True:
        yield b"x" * 4096


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_body_that_never_ends_is_refused_past_the_limit(
    module_client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await module_client.request(method, path, content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert str(MAX_JSON_BYTES) in answer.json()["detail"]


@pytest.mark.anyio
async def test_up_to_the_limit_a_body_is_read(module_client: httpx.AsyncClient) -> None:
    empty = '{"model_name": "a", "file_path": "models/a.onnx", "description": ""}'
    body = empty[:-2] + "x" * (MAX_JSON_BYTES - len(empty)) + '"}'
    for content, status in ((body, 422), (body + " ", 413)):
        answer = await module_client.post("/api/v1/models", content=content, headers=JSON)
        assert answer.status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_json_without_its_header_is_refused_with_the_header(
    module_client: httpx.AsyncClient, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    for method, path in ROUTES:
        answer = await module_client.request(method, path, content=b'{"version": "v1"}', headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
        assert "Content-Type: application/json" in answer.json()["remedy"]


@pytest.mark.anyio
async def test_a_body_that_may_be_left_out_needs_no_header(module_client: httpx.AsyncClient) -> None:
    assert (await module_client.post("/v2/repository/index")).json() == []


def test_every_route_with_a_json_body_has_the_limit(settings: Settings) -> None:
    routes = [found.original_route for found in iter_route_contexts(create_app(settings).routes)]
    unlimited = [
        route.path
        for route in routes
        if isinstance(route, APIRoute) and route.body_field and not isinstance(route, JsonRoute)
    ]
    assert unlimited == []
