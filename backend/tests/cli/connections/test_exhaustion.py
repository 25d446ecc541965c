"""More connections than the server has descriptors for."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.serve_process import ServeProcess, run_serve_process


@pytest.fixture(scope="module")
def server(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    home = tmp_path_factory.mktemp("exhaustion") / "home"
    shutil.copytree(stocked, home)
    with run_serve_process(home, open_files=256, UNDERSTUDY_WORKERS="1") as running:
        yield running


def _open(server: ServeProcess, number: int, data: bytes, held: ExitStack) -> list[socket.socket]:
    clients = []
    for _ in range(number):
        clients.append(held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30)))
        with suppress(OSError):  # the server has closed it already
            clients[-1].sendall(data)
    return clients


def _predict(server: ServeProcess, wav: bytes) -> httpx.Response:
    return httpx.post(f"{server.url}/api/v1/predict", content=wav, headers={"content-type": "audio/wav"}, timeout=30)


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (300, b""),
        (100, b"GET / HTTP/1.1\r\nHost: "),
        (100, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ],
    ids=["silent", "slow", "idle"],
)
def test_connections_without_a_request_shut_nobody_out(
    server: ServeProcess, wav: bytes, number: int, data: bytes
) -> None:
    with ExitStack() as held:
        _open(server, number, data, held)
        for _ in range(3):
            assert _predict(server, wav).status_code == 200
            assert httpx.get(f"{server.url}/health/ready", timeout=30).status_code == 200


def test_streams_leave_room_for_requests(server: ServeProcess, wav: bytes) -> None:
    with ExitStack() as held:
        streams = _open(server, 70, b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n", held)
        starts = [each.recv(1 << 16) for each in streams]
        taken = sum(start.startswith(b"HTTP/1.1 200 ") for start in starts)
        assert 30 <= taken < 60
        assert all(start.startswith(b"HTTP/1.1 503 ") and b"too_many_connections" in start for start in starts[taken:])
        assert _predict(server, wav).status_code == 200


def test_uploads_without_end_leave_room_for_health_and_management(server: ServeProcess, wav: bytes) -> None:
    """Each of them has a request that runs, so none can make room."""
    head = (
        b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\nContent-Length: 9999\r\n\r\n"
    )
    with ExitStack() as held:
        _open(server, 65, head + b"\r\n", held)
        refused = _predict(server, wav)
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")
        assert refused.headers["retry-after"] == "1"
        for path in ("/health/ready", "/api/v1/models", "/api/v1/status", "/metrics"):
            assert httpx.get(f"{server.url}{path}", timeout=30).status_code == 200
    assert _predict(server, wav).status_code == 200


def test_uploads_of_models_without_end_leave_room_for_health_and_metrics(server: ServeProcess) -> None:
    """They are management, whose reserve they may not take; and where it is taken, health has one of its own."""
    with ExitStack() as held:
        _open(server, 58, _build_upload(100_000_000), held)
        late = _open(server, 12, _build_upload(100_000_000), held)
        assert all(b"too_many_connections" in each.recv(1 << 16) for each in late)
        _open(server, 40, _build_upload(1000), held)
        for path in ("/health/ready", "/health/live", "/v2/health/ready", "/metrics"):
            assert httpx.get(f"{server.url}{path}", timeout=30).status_code == 200
        refused = httpx.get(f"{server.url}/api/v1/models", timeout=30)
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_connections")


def _build_upload(size: int) -> bytes:
    head = "POST /api/v1/models/upload?filename=a.onnx&model_name=a HTTP/1.1\r\nHost: localhost\r\n"
    return f"{head}Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n ".encode()
