"""A server in this process, asked over ASGI, and one of its own process, asked over a socket."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from asgi_lifespan import LifespanManager

from tests.serve_process import run_uvicorn
from understudy.main import create_app
from understudy.settings import Settings


@pytest.fixture
async def client(settings: Settings, migrated: None, shared_store: None) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        LifespanManager(create_app(settings), startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(manager.app, raise_app_exceptions=False), base_url="http://localhost"
        ) as client,
    ):
        yield client


@pytest.fixture
def server(settings: Settings, migrated: None, shared_store: None) -> Iterator[str]:
    """Host and port of a server of its own process: streams and disconnects need a real connection."""
    with run_uvicorn(settings.home) as address:
        yield address
