"""A server in this process, asked over ASGI, and one of its own process, asked over a socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from asgi_lifespan import LifespanManager

from understudy.main import create_app
from understudy.settings import Settings


@pytest.fixture
async def client(settings: Settings, shared_store: None) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        LifespanManager(create_app(settings), startup_timeout=60, shutdown_timeout=60) as manager,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(manager.app, raise_app_exceptions=False), base_url="http://localhost"
        ) as client,
    ):
        yield client


@pytest.fixture
def server(settings: Settings, shared_store: None) -> Iterator[str]:
    """Host and port of a server of its own process: streams and disconnects need a real connection."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = os.environ | {"UNDERSTUDY_HOME": str(settings.home)}
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "understudy.main:create_app",
        "--port",
        address.split(":")[1],
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 180
        while not _is_live(address):
            assert process.poll() is None, "the server ended while it started"
            assert time.monotonic() < deadline, "the server did not answer within three minutes"
            time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _is_live(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/health/live").is_success
    except httpx.TransportError:
        return False
