import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.cli.conftest import Run

Ask = Callable[..., Any]


def test_a_running_server_follows_an_activation_by_another_process(
    ask: Ask, server: str, models: Path, clip: Path
) -> None:
    ask("register", "--name", "One", "--path", "models/one.onnx", "--activate")
    ask("register", "--name", "Two", "--path", "models/two.onnx", "--activate")
    deadline = time.monotonic() + 30
    while ask("status", "--url", server)["live"] is None or not ask("status", "--url", server)["in_sync"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert ask("predict", str(clip), "--url", server)["label"] == "b"
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{server}/health/ready").status_code == 200
    assert ask("doctor")["findings"] == []


def test_an_open_address_must_be_spelled_out(ask: Ask) -> None:
    problem = ask("serve", "--host", "0.0.0.0", code=1)  # noqa: S104
    assert problem["code"] == "unsafe_binding"
    assert "--allow-unauthenticated" in problem["remedy"]


def test_a_taken_port_is_named(ask: Ask) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        problem = ask("serve", "--port", str(port), code=1)
    assert str(port) in problem["detail"]
    assert "--port" in problem["remedy"]


def test_an_error_at_the_start_of_the_server_is_a_problem_and_no_traceback(ask: Ask, home: Path) -> None:
    (home / "var" / "understudy.db").mkdir()
    problem = ask("serve", "--port", "0", code=6)
    assert problem["code"] == "database_unavailable"


def test_a_setting_that_is_not_a_number_is_named(run: Run, monkeypatch: Any) -> None:
    monkeypatch.setenv("UNDERSTUDY_PORT", "eighty")
    assert "port" in run("serve", code=1).stderr


def test_a_url_without_a_server_names_the_remedy(ask: Ask) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        problem = ask("list", "--url", f"http://127.0.0.1:{holder.getsockname()[1]}", code=6)
    assert "understudy serve" in problem["remedy"]


def test_a_url_that_is_not_http_is_refused(ask: Ask) -> None:
    assert ask("list", "--url", "ftp://somewhere", code=5)["code"] == "request_invalid"


def test_the_answer_is_all_that_standard_output_holds(run: Run) -> None:
    run("migrate")
    assert json.loads(run("list", "--json").stdout) == {
        "models": [],
        "active_model": None,
        "next_cursor": None,
        "total": 0,
    }


def test_a_stream_message_over_the_limit_gets_its_error_before_the_close(one: Path, server: str) -> None:
    limit = 1 << 20
    start = '{"sample_rate": 4000, "encoding": "pcm16"}'
    half = bytes(limit // 2 + 1)
    too_large: list[bytes | str | list[bytes]] = [bytes(limit + 1), bytes(20 << 20), "x" * (limit + 1), [half, half]]
    for message in too_large:
        with connect(f"ws{server.removeprefix('http')}/api/v1/stream") as stream:
            assert stream.protocol.extensions == []  # a compressed message may inflate a thousandfold
            stream.send(start)
            assert json.loads(stream.recv(timeout=60))["type"] == "ready"
            with suppress(ConnectionClosed):  # the server need not take all of it
                stream.send(message)
            last = json.loads(stream.recv(timeout=60))
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=60)
        assert (last["type"], last["problem"]["code"]) == ("error", "body_too_large")
        assert str(limit) in last["problem"]["detail"]
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    metrics = httpx.get(f"{server}/metrics").text
    assert "understudy_open_streams 0" in metrics
    assert 'understudy_refusals_total{code="body_too_large"} 4' in metrics


def test_a_client_that_reads_only_after_it_sent_everything_finds_the_error(one: Path, server: str) -> None:
    address = httpx.URL(server)
    length = 8 << 20
    upgrade = [
        "GET /api/v1/stream HTTP/1.1",
        f"Host: {address.netloc.decode()}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ]
    with socket.create_connection((address.host, address.port or 0), timeout=60) as client:
        client.sendall("\r\n".join([*upgrade, "", ""]).encode())
        received = client.recv(4096)
        assert received.startswith(b"HTTP/1.1 101 ")
        client.sendall(b"\x82\xff" + length.to_bytes(8) + bytes(4))
        client.sendall(bytes(length))
        while chunk := client.recv(1 << 16):
            received += chunk
    assert b'"code":"body_too_large"' in received
    assert received.count(b"\x88") >= 1  # the close frame comes after it
    assert received.rindex(b"\x03\xf1") > received.index(b"body_too_large")
