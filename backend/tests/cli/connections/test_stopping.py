"""The end of `understudy serve`: its signals, its grace period, and what it leaves behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.serve_process import ServeProcess, read_to_end, run_serve_process

_POST = b"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\n"


def _open(server: ServeProcess, data: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    client.sendall(data)
    return client


def _read_until(client: socket.socket, wanted: bytes) -> None:
    received = b""
    while wanted not in received:
        chunk = client.recv(1 << 16)
        assert chunk, received
        received += chunk


def _await_closed_port(server: ServeProcess) -> None:
    deadline = time.monotonic() + 30
    with suppress(ConnectionRefusedError):
        while time.monotonic() < deadline:
            _open(server).close()
            time.sleep(0.02)
        pytest.fail("the server still accepts connections")


def _list_processes(server: int) -> list[str]:
    """Return the processes below that of the server."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent, *_ in map(str.split, listed.splitlines())}

    def descends(pid: int) -> bool:
        return pid == server or (pid in parents and descends(parents[pid]))

    return [str(pid) for pid in parents if pid != server and descends(pid)]


def _await_ready(server: ServeProcess) -> None:
    """Wait until the model is loaded: a server answers before that where loading takes long."""
    deadline = time.monotonic() + 60
    while not httpx.get(f"{server.url}/health/ready", timeout=30).is_success:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _await_end_of(processes: list[str]) -> None:
    deadline = time.monotonic() + 30
    while any(Path("/proc", each).exists() for each in processes):
        assert time.monotonic() < deadline, "a worker or the fork server outlives the server"
        time.sleep(0.02)


def test_streams_end_at_once_and_requests_have_a_grace_period(stocked: Path, tmp_path: Path, wav: bytes) -> None:
    """All processes get the signal, as systemd sends it."""
    home = tmp_path / "home"
    shutil.copytree(stocked, home)
    with run_serve_process(home, UNDERSTUDY_GRACE_SECONDS="1.5", UNDERSTUDY_WORKERS="1") as server:
        _await_ready(server)
        assert httpx.post(f"{server.url}/api/v1/predict", content=wav, headers={"content-type": "audio/wav"}).is_success
        processes = _list_processes(server.process.pid)
        assert len(processes) == 2  # the fork server and its worker
        idle = _open(server, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        events = _open(server, b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        upload = _open(server, _POST % len(wav) + wav[:1000])
        endless = _open(server, _POST % len(wav) + wav[:1000])
        _read_until(idle, b'{"status":"live"}')
        _read_until(events, b"event: hello")
        with connect(f"ws://127.0.0.1:{server.port}/api/v1/stream") as stream:
            stream.send('{"sample_rate": 16000, "encoding": "pcm16"}')
            assert json.loads(stream.recv(timeout=60))["type"] == "ready"
            for pid in [server.process.pid, *map(int, processes)]:
                os.kill(pid, signal.SIGTERM)
            last = json.loads(stream.recv(timeout=60))
            with pytest.raises(ConnectionClosed) as closed:
                stream.recv(timeout=60)
        assert (last["type"], last["problem"]["code"]) == ("error", "server_stopping")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert b": goodbye" in read_to_end(events)
        assert read_to_end(idle) == b""
        _await_closed_port(server)
        upload.sendall(wav[1000:])
        assert read_to_end(upload).startswith(b"HTTP/1.1 200 ")
        cut_off = read_to_end(endless)
        assert cut_off.startswith(b"HTTP/1.1 503 ")
        assert b"server_stopping" in cut_off
        assert server.process.wait(30) == 0
        _await_end_of(processes)
        for client in (idle, events, upload, endless):
            client.close()


def test_a_second_signal_ends_the_server_at_once(stocked: Path, tmp_path: Path, wav: bytes) -> None:
    home = tmp_path / "home"
    shutil.copytree(stocked, home)
    with run_serve_process(home, UNDERSTUDY_GRACE_SECONDS="600", UNDERSTUDY_WORKERS="1") as server:
        _await_ready(server)
        assert httpx.post(f"{server.url}/api/v1/predict", content=wav, headers={"content-type": "audio/wav"}).is_success
        processes = _list_processes(server.process.pid)
        assert len(processes) == 2
        with _open(server, _POST % len(wav) + wav[:1000]):
            server.process.send_signal(signal.SIGTERM)
            _await_closed_port(server)
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == -signal.SIGTERM
        _await_end_of(processes)
