"""Servers in processes of their own: `understudy serve`, and the application under uvicorn as others run it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

_BACKEND = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class ServeProcess:
    """A running `understudy serve`, which leads a process group of its own."""

    url: str
    process: "subprocess.Popen[str]"
    grpc: str | None = None  # address of gRPC, where it has a port

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


def read_to_end(client: socket.socket) -> bytes:
    """Return what arrives until the server closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while chunk := client.recv(1 << 16):
            received += chunk
    return received


@contextmanager
def run_serve(home: Path, **environment: str) -> Iterator[str]:
    """Serve `home` on a free port and yield the server's address, such as `http://127.0.0.1:41234`."""
    with run_serve_process(home, open_files=None, stderr=None, **environment) as server:
        yield server.url


@contextmanager
def run_serve_process(
    home: Path,
    *,
    open_files: int | None = None,
    stderr: int | None = None,
    program: str = "understudy.cli",
    **environment: str,
) -> Iterator[ServeProcess]:
    """Serve `home` on a free port, with `open_files` as the limit of descriptors, and yield the running server.

    Its log goes to the descriptor `stderr`, by default that of the tests. `program` is the module that is run.
    """
    command = [sys.executable, "-m", program, "serve", "--port", "0", "--json"]
    if open_files is not None:
        command = ["sh", "-c", f'ulimit -n {open_files} && exec "$@"', "sh", *command]
    with subprocess.Popen(
        command,
        env=build_environment(home) | environment,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield ServeProcess(process=process, **json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@contextmanager
def run_uvicorn(home: Path) -> Iterator[str]:
    """Run the application on `home` under uvicorn's own command and yield host and port, such as `127.0.0.1:41234`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "--factory", "understudy.main:create_app", "--port", port]
    process = subprocess.Popen(
        command, env=build_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 180
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            while not _is_live(client):
                assert process.poll() is None, "the server ended while it started"
                assert time.monotonic() < deadline, "the server did not answer within three minutes"
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def build_environment(home: Path) -> dict[str, str]:
    """Return the environment of a process that works on `home`, with no setting of the caller's own environment.

    Its servers have one worker process, because a second one only takes longer to start.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    inherited.pop("DATABASE_URL", None)
    return inherited | {"PYTHONPATH": str(_BACKEND), "UNDERSTUDY_HOME": str(home), "UNDERSTUDY_WORKERS": "1"}


def _is_live(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").is_success
    except httpx.TransportError:
        return False
