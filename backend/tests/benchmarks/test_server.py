import os
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.server import Server, ServerError, free_port

CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'http.server', sys.argv[1], '-b', '127.0.0.1'])"


def server(tmp_path: Path, *command: str, port: int) -> Server:
    environment = dict(os.environ)
    return Server([sys.executable, *command], environment, port=port, ready_path="/", log=tmp_path / "log", patience=30)


def test_children_are_measured_and_end_with_their_parent(tmp_path: Path) -> None:
    port = free_port()
    with server(tmp_path, "-c", CHILD, str(port), port=port) as running:
        [child] = [each for each in psutil.Process().children(recursive=True) if "http.server" in each.cmdline()]
        resident, proportional = running.memory()
        assert resident > proportional > 0
        assert running.cpu_seconds() > 0
        assert running.ready_seconds > 0
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    failing = server(tmp_path, "-c", "raise SystemExit('no model')", port=free_port())
    with pytest.raises(ServerError, match="no model"), failing:
        pytest.fail("it started")
