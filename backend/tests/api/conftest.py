"""Servers asked over ASGI, over a socket of this process, and over a socket of a process of their own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from asgi_lifespan import LifespanManager

from tests.serve_process import run_uvicorn
from tests.serve_thread import run_in_thread
from understudy.main import create_app
from understudy.settings import Settings


@pytest.fixture
async def client(settings: Settings, migrated: None, shared_store: None) -> AsyncIterator[httpx.AsyncClient]:
    async with run_application(settings) as client:
        yield client


@pytest.fixture(scope="module")
async def module_client(module_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """One server for a whole module, whose tests change nothing for each other: a server takes longer than they do."""
    async with run_application(module_settings) as client:
        yield client


@asynccontextmanager
async def run_application(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Run a server of `settings` in this process and yield its client."""
    async with (
        LifespanManager(create_app(settings), startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(manager.app, raise_app_exceptions=False), base_url="http://localhost"
        ) as client,
    ):
        yield client


@pytest.fixture
def server(settings: Settings, migrated: None, shared_store: None) -> Iterator[str]:
    """Host and port of a server with a socket: streams and disconnects need a real connection."""
    with run_in_thread(settings) as address:
        yield address


@pytest.fixture
def server_process(settings: Settings, migrated: None, shared_store: None) -> Iterator[str]:
    """Host and port of a server of its own process, for what depends on its memory or its worker process."""
    with run_uvicorn(settings.home) as address:
        yield address
