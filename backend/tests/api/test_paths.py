"""The API answers the same below the path that it is mounted under."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from tests.types import ModelFactory
from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

INDEX = "<!doctype html><title>Understudy</title>"


@pytest.fixture
async def client(
    settings: Settings, tmp_path: Path, migrated: None, shared_store: None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application under /listen, with a page."""
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(INDEX)
    app = create_app(settings, page)
    parent = FastAPI()
    parent.router.lifespan_context = app.router.lifespan_context
    parent.mount("/listen", app)
    async with (
        LifespanManager(parent, startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(transport=httpx.ASGITransport(manager.app), base_url="http://localhost/listen") as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/api/nowhere", "/v2/nowhere", "/metrics/nowhere", "/health", "/docs/nowhere"])
async def test_an_unknown_address_of_the_api_is_a_problem_and_never_the_page(
    client: httpx.AsyncClient, path: str
) -> None:
    browser = {"accept": "text/html"}
    assert (await client.get("/try", headers=browser)).text == INDEX
    answer = await client.get(path, headers=browser)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_clients_of_v2_find_the_message_of_a_refusal(client: httpx.AsyncClient) -> None:
    for path in ("/v2/nowhere", "/v2/models/nobody/infer"):
        answer = (await client.post(path, content=b'{"inputs": []}')).json()
        assert answer["error"] == f"{answer['detail']} {answer['remedy']}"
    assert "error" not in (await client.post("/api/v1/nowhere")).json()


async def test_head_of_the_endless_event_stream_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.head("/api/v1/events")).status_code == 405
    assert (await client.head("/api/v1/status")).status_code == 200


async def test_addresses_in_answers_lead_back_to_the_api(
    client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory
) -> None:
    make_model(settings.models_dir / "first.onnx")
    body = {"model_name": "first", "file_path": "models/first.onnx"}
    location = (await client.post("/api/v1/models", json=body)).headers["location"]
    assert location == "/listen/api/v1/models/1"
    assert (await client.get(f"http://localhost{location}")).json()["model_name"] == "first"
    for clip in (await client.get("/api/v1/demo-clips")).json()["clips"]:
        assert (await client.get(f"http://localhost{clip['url']}")).status_code == 200
