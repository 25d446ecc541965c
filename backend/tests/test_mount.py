"""The application mounted in a team's own FastAPI, with that team's access control around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.types import ModelFactory
from understudy import AsyncClient, create_app, mount_app
from understudy.errors import NoActiveModel
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

KEY = {"x-team-key": "secret"}


class TeamKey:
    """Access control as a team writes it: a header on everything but the lifespan."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and (b"x-team-key", b"secret") not in scope["headers"]:
            await PlainTextResponse("Who are you?", 401)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


@pytest.fixture
async def team(settings: Settings, shared_store: None, tmp_path: Path) -> AsyncIterator[FastAPI]:
    """A team's application with a lifespan and a state of its own; Understudy is at /listen."""
    running: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, object]]:
        running.append("team")
        yield {"team": "ours"}
        running.remove("team")

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def home() -> list[str]:
        return running

    app.add_middleware(TeamKey)
    page = tmp_path / "page"
    (page / "assets").mkdir(parents=True)
    (page / "index.html").write_text(
        '<meta name="understudy-mount" content="./"><script src="./assets/index.js"></script>'
    )
    (page / "assets" / "index.js").write_text("0")
    mount_app(app, "/listen", settings, page)
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as manager:
        app.state.asgi = manager.app
        yield app
    assert running == []


def ask(team: FastAPI, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(team.state.asgi), base_url="http://localhost", headers=headers
    )


async def test_the_api_answers_under_the_path_and_the_teams_routes_stay(
    team: FastAPI, home: Path, make_model: ModelFactory, wav: bytes
) -> None:
    make_model(home / "models" / "first.onnx")
    async with ask(team, KEY) as http, AsyncClient("http://localhost/listen", http=http) as client:
        assert (await http.get("/")).json() == ["team"]
        with pytest.raises(NoActiveModel):
            await client.predict(wav)
        model = await client.register_model(ModelCreate(model_name="first", file_path="models/first.onnx"))
        assert (await client.activate_model(model.model_id)).state == "succeeded"
        assert (await client.predict(wav)).model.model_id == model.model_id
        assert (await http.get("/listen/health/ready")).status_code == 200
        assert 'route="/api/v1/predict"' in (await http.get("/listen/metrics")).text


@pytest.mark.parametrize("path", ["/listen/api/v1/models", "/listen/health/live", "/listen/metrics", "/listen/docs"])
async def test_nothing_answers_without_the_teams_key(team: FastAPI, path: str) -> None:
    async with ask(team, {}) as http:
        assert (await http.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/listen/", "/listen/models/3"])
async def test_the_page_loads_its_files_from_the_path_it_is_mounted_under(team: FastAPI, path: str) -> None:
    async with ask(team, KEY | {"accept": "text/html"}) as http:
        page = await http.get(path)
        assert page.text == (
            '<meta name="understudy-mount" content="/listen/"><script src="/listen/assets/index.js"></script>'
        )
        assert page.headers["content-length"] == str(len(page.content))
        assert (await http.get("/listen/assets/index.js")).text == "0"


async def test_the_document_names_the_path_it_is_mounted_under(team: FastAPI) -> None:
    async with ask(team, KEY) as http:
        document = (await http.get("/listen/openapi.json")).json()
    assert document["servers"] == [{"url": "/listen"}]


def test_the_names_of_the_library_are_those_of_their_modules() -> None:
    assert create_app.__module__ == mount_app.__module__ == "understudy.main"
