"""A Ray cluster of one node on this machine, for tests that need Ray."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import PostgresServer, create_database
from tests.serve_process import build_environment
from tests.types import ModelFactory

SECRET = "never-in-a-log-7f3a"  # noqa: S105
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `url` is the address of its proxy, and `environment` that of commands on it."""

    folder: Path
    environment: dict[str, str]
    url: str
    dashboard: str
    port: int

    def run(self, *arguments: str, code: int = 0, **environment: str) -> Any:
        """Run `understudy ARGUMENTS --json`, expect the exit code `code`, and return the document."""
        done = subprocess.run(
            [sys.executable, "-m", "understudy.cli", *arguments, "--json"],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def deploy(self, *arguments: str, code: int = 0, **environment: str) -> Any:
        return self.run("deploy", "ray", "--port", str(self.port), *arguments, code=code, **environment)

    def read(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=30).raise_for_status().json()

    def read_logs(self) -> str:
        """Return all that Ray and the replicas have logged."""
        logs = (self.folder / "session_latest" / "logs").resolve()
        return "".join(each.read_text(errors="replace") for each in logs.rglob("*") if each.is_file())


@pytest.fixture(scope="module")
def cluster(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer, make_model: ModelFactory
) -> Iterator[Cluster]:
    """A cluster with one node and a registry on PostgreSQL with two models, of which the first is active."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed here: `make test-ray` installs it into an environment of its own")
    home = tmp_path_factory.mktemp("ray") / "home"
    (home / "models").mkdir(parents=True)
    for index, name in enumerate(("one", "two")):
        make_model(home / "models" / f"{name}.onnx", winner=index)
    gcs, dashboard, http = (_find_port() for _ in range(3))
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # its sockets need a short path
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        url = stack.enter_context(create_database(postgres_server)).replace("postgres@", f"postgres:{SECRET}@")
        environment = build_environment(home) | {
            "DATABASE_URL": url,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RAY_ADDRESS": f"127.0.0.1:{gcs}",
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "UNDERSTUDY_POLL_SECONDS": "0.1",
        }
        # The nodes do not have the settings: the command sends them.
        of_node = {name: value for name, value in environment.items() if not name.startswith("UNDERSTUDY_")}
        del of_node["DATABASE_URL"], of_node["RAY_ADDRESS"]
        stack.enter_context(_run_node(folder, gcs, dashboard, of_node))
        cluster = Cluster(folder, environment, f"http://127.0.0.1:{http}", f"http://127.0.0.1:{dashboard}", http)
        for name in ("one", "two"):
            cluster.run("register", "--name", name, "--path", f"models/{name}.onnx", "--labels", "a,b,c", "--activate")
        cluster.run("activate", "1")
        yield cluster


def _run_node(folder: Path, gcs: int, dashboard: int, environment: dict[str, str]) -> ExitStack:
    """Run the head of a cluster in a process group of its own; `ray stop` would end other clusters as well."""
    options = {
        "--node-ip-address": "127.0.0.1",
        "--port": str(gcs),
        "--dashboard-host": "127.0.0.1",
        "--dashboard-port": str(dashboard),
        "--num-cpus": "4",
        "--object-store-memory": str(200 << 20),
        "--temp-dir": str(folder),
    }
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    stack = ExitStack()
    log = stack.enter_context((folder / "start.log").open("wb"))
    process = subprocess.Popen(
        [*command, *(f"{name}={value}" for name, value in options.items())],
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    stack.callback(_end_group, process)
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(gcs) or not _answers(dashboard):
        assert process.poll() is None, (folder / "start.log").read_text()
        assert time.monotonic() < deadline, (folder / "start.log").read_text()
        time.sleep(0.2)
    return stack


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(30)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
