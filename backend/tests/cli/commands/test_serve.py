import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

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
    assert json.loads(run("list", "--json").stdout) == {
        "models": [],
        "active_model": None,
        "next_cursor": None,
        "total": 0,
    }
