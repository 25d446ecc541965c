"""Every error is answered in one shape."""

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio
MEMBERS = {"type", "title", "status", "code", "detail", "remedy"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("PATCH", "/api/v1/models", 405, "method_not_allowed"),
        ("GET", "/api/v1/models/abc", 422, "request_invalid"),
        ("GET", "/api/v1/models/0", 422, "request_invalid"),
        ("GET", "/api/v1/models/99999999999999999999", 422, "request_invalid"),
        ("GET", "/api/v1/models?limit=0", 422, "request_invalid"),
        ("GET", "/api/v1/models?sort=color", 422, "request_invalid"),
        ("GET", "/api/v1/models?cursor=xyz", 422, "request_invalid"),
        ("POST", "/api/v1/models", 422, "request_invalid"),
        ("GET", "/api/v1/models/7", 404, "model_not_found"),
    ],
)
async def test_every_refusal_is_a_problem_document(
    module_client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await module_client.request(method, path)
    body = answer.json()
    assert answer.status_code == status == body["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert body.keys() >= MEMBERS
    assert body["code"] == code
    assert body["type"] == f"urn:understudy:problem:{code}"
    assert body["detail"]
    assert body["remedy"]


@pytest.mark.parametrize(
    ("path", "content_type", "body"),
    [
        ("/api/v1/models", "application/json", b"\xff"),
        ("/api/v1/models", "application/json", b"[" * 100_000),
        ("/api/v1/models", "application/json", b'{"spec": {"labels": ["\\ud800"]}}'),
        ("/api/v1/predict", "multipart/form-data", b"--a"),
        ("/api/v1/predict", "multipart/form-data; boundary=a", b"--b\r\n"),
    ],
)
async def test_a_body_that_cannot_be_read_is_an_invalid_request(
    module_client: httpx.AsyncClient, path: str, content_type: str, body: bytes
) -> None:
    answer = await module_client.post(path, content=body, headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (422, 422, "request_invalid")


async def test_an_unforeseen_failure_tells_no_internals(settings: Settings, migrated: None) -> None:
    app: FastAPI = create_app(settings)

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("password=hunter2")

    async with (
        LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(manager.app, raise_app_exceptions=False), base_url="http://localhost"
        ) as client,
    ):
        answer = await client.get("/fails")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "hunter2" not in answer.text
