"""The server answers `/` with the built page, or says how to build it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from asgi_lifespan import LifespanManager

from understudy.main import create_app
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

BUILT_INDEX = '<!doctype html><title>Understudy</title><script src="./assets/index-a1b2c3.js"></script>'
INDEX = BUILT_INDEX.replace('"./', '"/')
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@asynccontextmanager
async def _served(settings: Settings, page: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        LifespanManager(create_app(settings, page), startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(manager.app, raise_app_exceptions=False),
            base_url="http://localhost",
            headers=BROWSER,
        ) as client,
    ):
        yield client


@pytest.fixture(scope="module")
async def client(
    module_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    page = tmp_path_factory.mktemp("page")
    (page / "assets").mkdir()
    (page / "index.html").write_text(BUILT_INDEX)
    (page / "theme.js").write_text("0")
    (page / "assets" / "index-a1b2c3.js").write_text("'use strict';" * 200)
    async with _served(module_settings, page) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/try", "/live", "/operations", "/models/3", "/?search=dog"])
async def test_every_address_of_the_page_answers_with_it(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.text == INDEX
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_page_may_load_nothing_from_elsewhere_and_stand_in_no_frame(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/")).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert "http" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_files_named_by_their_content_are_kept_for_good_and_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/assets/index-a1b2c3.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (await client.get("/theme.js")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1/nothing", "/api/v2/models", "/health/nothing", "/docs/nothing", "/openapi.json/nothing"]
)
async def test_unknown_places_of_the_api_stay_problems(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


async def test_a_missing_file_of_the_page_is_not_the_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/assets/index-gone.js")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


async def test_the_api_and_its_description_are_as_without_a_page(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/models")).json()["total"] == 0
    assert (await client.get("/health/live")).json() == {"status": "live"}
    assert "swagger" in (await client.get("/docs")).text.lower()
    assert (await client.post("/api/v1/models/active")).status_code == 405


async def test_without_a_build_the_server_says_how_to_make_one(settings: Settings, tmp_path: Path) -> None:
    async with _served(settings, tmp_path / "none") as client:
        answer = await client.get("/")
        assert answer.status_code == 200
        assert "make page" in answer.text
        assert "/docs" in answer.text
        assert (await client.get("/try")).json()["code"] == "not_found"
