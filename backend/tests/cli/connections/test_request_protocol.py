"""Heads and bodies that are too large or too slow are refused by a real `understudy serve` with short limits."""

import json
import shutil
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.serve_process import ServeProcess, read_to_end, run_serve_process

_POST = b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
_GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def server(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    home = tmp_path_factory.mktemp("limits") / "home"
    shutil.copytree(stocked, home)
    with run_serve_process(
        home,
        UNDERSTUDY_HEAD_SECONDS="0.6",
        UNDERSTUDY_TRANSFER_SECONDS="0.6",
        UNDERSTUDY_KEEP_ALIVE_SECONDS="1",
        UNDERSTUDY_WORKERS="1",
    ) as running:
        yield running


@pytest.fixture
def client(server: ServeProcess) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as opened:
        yield opened


def _read_code(client: socket.socket) -> tuple[int, str]:
    """Read the only answer to the end of the connection, and return its status and its problem's code."""
    head, _, body = read_to_end(client).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


def test_a_head_that_does_not_end_is_answered_408(client: socket.socket) -> None:
    client.sendall(_GET + b"X-Slow: ")
    assert _read_code(client) == (408, "request_timeout")


def test_a_head_that_drips_is_answered_408(client: socket.socket) -> None:
    client.settimeout(0.1)
    client.sendall(_GET)
    received = b""
    deadline = time.monotonic() + 30
    while not received:
        assert time.monotonic() < deadline
        with suppress(OSError):
            client.sendall(b"x")
        with suppress(TimeoutError):
            received = client.recv(1 << 16)
    assert received.startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_says_nothing_is_closed_without_an_answer(client: socket.socket) -> None:
    assert read_to_end(client) == b""


def test_an_idle_connection_is_closed_after_its_time(client: socket.socket) -> None:
    client.sendall(_GET + b"\r\n")
    received = read_to_end(client)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100000\r\n\r\nRIFF", b"Transfer-Encoding: chunked\r\n\r\n1\r\nR\r\n"]
)
def test_a_body_that_stands_still_is_answered_408(client: socket.socket, framing: bytes) -> None:
    client.sendall(_POST + framing)
    assert _read_code(client) == (408, "request_timeout")


def test_a_body_that_arrives_slowly_but_in_time_is_scored(client: socket.socket, wav: bytes) -> None:
    """It takes longer than the limit as a whole."""
    client.sendall(_POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(wav))
    pieces = [wav[at : at + len(wav) // 8 + 1] for at in range(0, len(wav), len(wav) // 8 + 1)]
    for piece in pieces:
        client.sendall(piece)
        time.sleep(0.12)
    assert read_to_end(client).startswith(b"HTTP/1.1 200 ")


def test_the_rest_of_a_body_that_was_refused_is_not_awaited_for_ever(client: socket.socket) -> None:
    client.sendall(_POST.replace(b"audio/wav", b"text/plain") + b"Transfer-Encoding: chunked\r\n\r\n1\r\nR\r\n")
    assert _read_code(client) == (422, "request_invalid")


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (_GET, b"X-Header: " + b"y" * 900 + b"\r\n"),
        (_GET + b"X-Header: ", b"y" * 1000),
        (b"GET /", b"y" * 1000),
        (b"", b"\r\n" * 500),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nR\r\n0\r\nX-Trailer: ", b"y" * 1000),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nR\r\n0\r\n", b"X-Trailer: " + b"y" * 900 + b"\r\n"),
    ],
    ids=["headers", "header", "path", "newlines", "trailer", "trailers"],
)
def test_a_head_without_end_is_refused_at_64_kib(client: socket.socket, start: bytes, piece: bytes) -> None:
    client.sendall(start + piece * (600_000 // len(piece)))
    assert _read_code(client) == (431, "headers_too_large")


def test_64_mib_of_headers_take_no_memory(server: ServeProcess, client: socket.socket) -> None:
    """The parser would keep all of them, in 1.3 GB."""

    def read_peak_kib() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1])

    before = read_peak_kib()
    with suppress(OSError):  # the server need not take all of it
        client.sendall(_GET)
        for _ in range(64):
            client.sendall((b"X-Header: " + b"y" * 1012 + b"\r\n") * 1024)
    assert _read_code(client) == (431, "headers_too_large")
    assert read_peak_kib() - before < 16 << 10


@pytest.mark.parametrize(("length", "status"), [(60_000, 200), (70_000, 431)])
def test_the_limit_of_a_head_holds_where_it_comes_at_once(client: socket.socket, length: int, status: int) -> None:
    client.sendall(_GET + b"Connection: close\r\nX-Header: " + b"y" * length + b"\r\n\r\n")
    assert int(read_to_end(client).split()[1]) == status


def test_a_large_body_behind_a_small_head_is_no_large_head(server: ServeProcess, wav: bytes) -> None:
    answer = httpx.post(f"{server.url}/api/v1/predict", content=wav * 20, headers={"content-type": "audio/wav"})
    assert answer.status_code == 200


def test_what_is_no_http_is_answered_with_a_problem(client: socket.socket) -> None:
    client.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    assert _read_code(client) == (400, "malformed_request")


def test_refusals_of_the_protocol_are_counted(server: ServeProcess, client: socket.socket) -> None:
    client.sendall(b"hello\r\n\r\n")
    assert _read_code(client) == (400, "malformed_request")
    assert 'understudy_refusals_total{code="malformed_request"}' in httpx.get(f"{server.url}/metrics").text


def _build_long_recording(seconds: int) -> bytes:
    """A recording at 8000 Hz, with 8 bits a sample."""
    size = seconds * 8000
    head = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", size + 36, b"WAVEfmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", size)
    return head + bytes(size)


def test_clips_whose_clients_have_gone_are_not_scored(server: ServeProcess, wav: bytes) -> None:
    def count(sample: str) -> int:
        lines = [line for line in httpx.get(f"{server.url}/metrics").text.splitlines() if sample in line]
        return sum(round(float(line.split()[-1])) for line in lines)

    answers, gone = 'prediction_seconds_count{stage="total"}', 'status="499"'
    answered, went = count(answers), count(gone)
    recording = _build_long_recording(3600)
    for _ in range(4):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(_POST + b"Content-Length: %d\r\n\r\n" % len(recording) + recording)
    deadline = time.monotonic() + 60
    while count(gone) < went + 4 or httpx.get(f"{server.url}/api/v1/status").json()["workers"][0]["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    answer = httpx.post(f"{server.url}/api/v1/predict", content=wav, headers={"content-type": "audio/wav"})
    assert answer.status_code == 200
    assert count(answers) == answered + 1
