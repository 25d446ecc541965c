"""The configurations of docs/proxy.md, in front of a real server."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.serve_thread import run_in_thread
from understudy import Client
from understudy.errors import ForeignHost
from understudy.settings import Settings

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PAGE = Path(__file__).resolve().parents[3] / "docs" / "proxy.md"
PUBLIC = "audio.example"

_MAIN = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {upstream}
    server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt-get install nginx-light)")


def read_configurations() -> list[tuple[str, dict[str, str]]]:
    """Return each nginx block of the page with the settings below it."""
    found = re.findall(r"```nginx\n(.*?)```\n.*?```\n(UNDERSTUDY_.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [(block, dict(line.split("=", 1) for line in settings.splitlines())) for block, settings in found]


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on {port}"
            time.sleep(0.02)
        else:
            return


@contextmanager
def serve(settings: Settings) -> Iterator[int]:
    """Serve in a thread and yield the port."""
    with run_in_thread(settings) as address:
        yield int(address.rpartition(":")[2])


@contextmanager
def run_nginx(block: str, upstream_port: int, folder: Path) -> Iterator[int]:
    """Run nginx with a block of the page and yield the port."""
    port = find_free_port()
    block = block.replace("127.0.0.1:8000", f"127.0.0.1:{upstream_port}")
    start = block.index("location")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _MAIN.format(folder=folder, port=port, upstream=block[:start], location=block[start:]), encoding="utf-8"
    )
    with subprocess.Popen(
        [str(NGINX), "-c", str(configuration), "-p", str(folder)], stderr=subprocess.DEVNULL
    ) as nginx:
        try:
            wait_for(port)
            yield port
        finally:
            nginx.terminate()


def open_socket(port: int, origin: str) -> str:
    """Open the WebSocket as a page of `origin` does; return the code of the server's first message."""
    url = f"ws://{PUBLIC}/api/v1/stream"
    with socket.create_connection(("127.0.0.1", port)) as raw, connect(url, sock=raw, origin=Origin(origin)) as opened:
        opened.send('{"sample_rate": 16000, "encoding": "pcm16"}')
        message: dict[str, Any] = json.loads(opened.recv(timeout=30))
        return str(message["problem"]["code"])


@pytest.mark.parametrize(("block", "variables"), read_configurations(), ids=["host passed on", "default host"])
def test_the_page_works_behind_nginx_as_documented(
    block: str, variables: dict[str, str], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    browser = {"host": PUBLIC, "origin": f"https://{PUBLIC}"}
    with (
        serve(Settings(home=settings.home)) as upstream,
        run_nginx(block, upstream, tmp_path) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=browser, timeout=30) as client,
    ):
        answer = client.post("/api/v1/predict", content=b"RIFF", headers={"content-type": "audio/wav"})
        assert answer.json()["code"] == "no_active_model"
        with client.stream("GET", "/api/v1/events") as events:
            assert next(events.iter_lines()).startswith("event: hello")
        assert open_socket(port, browser["origin"]) == "no_active_model"
        assert client.get("/health/live", headers={"origin": "https://evil.example"}).status_code == 403
        with pytest.raises(InvalidStatus, match="403"):
            open_socket(port, "https://evil.example")


def test_a_service_name_that_is_not_allowed_reaches_the_client_with_the_setting(
    settings: Settings, tmp_path: Path
) -> None:
    block, variables = read_configurations()[1]
    with (
        serve(settings) as upstream,
        run_nginx(block, upstream, tmp_path) as port,
        Client(f"http://127.0.0.1:{port}") as client,
        pytest.raises(ForeignHost) as refusal,
    ):
        client.get_status()
    assert f"UNDERSTUDY_ALLOWED_HOSTS={variables['UNDERSTUDY_ALLOWED_HOSTS']} " in refusal.value.remedy
