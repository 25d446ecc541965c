"""People and keys from the command line, and what a running server makes of them."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Run
from tests.serve_process import run_serve
from understudy.cli.framework.password_input import read_password
from understudy.cli.tree import tree

Ask = Callable[..., Any]

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture(autouse=True)
def cheap_passwords(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_PASSWORD_MEMORY_KIB", "8")
    monkeypatch.setenv("UNDERSTUDY_PASSWORD_PASSES", "1")


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch, ask: Ask) -> Ask:
    """`ask` with a password on standard input."""

    def run_with(*arguments: str, text: str = f"{PASSWORD}\n", code: int = 0) -> Any:
        result = CliRunner().invoke(tree, [*arguments, "--json"], input=text)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run_with


def test_people_are_added_changed_and_removed(ask: Ask, type_in: Ask) -> None:
    made = type_in("users", "add", "Ada", "--role", "admin", "--password-stdin")
    assert (made["name"], made["role"], made["disabled"]) == ("Ada", "admin", False)
    assert ask("users", "role", "ada", "editor", code=4)["code"] == "last_admin"
    type_in("users", "add", "eve", "--role", "admin", "--password-stdin")
    assert ask("users", "role", "ada", "editor")["role"] == "editor"
    assert ask("users", "disable", "ada")["disabled"] is True
    assert ask("users", "enable", "ada")["disabled"] is False
    type_in("users", "password", "ada", "--password-stdin", text="another horse battery\n")
    assert [each["name"] for each in ask("users", "list")["users"]] == ["Ada", "eve"]
    assert ask("users", "sign-out", "ada")["name"] == "Ada"
    assert ask("users", "sign-out", "nobody", code=3)["code"] == "user_not_found"
    ask("users", "remove", "ada")
    assert ask("users", "remove", "ada", code=3)["code"] == "user_not_found"
    assert ask("users", "remove", "eve")["name"] == "eve"
    assert ask("users", "list")["users"] == []


def test_there_is_no_default_password_and_none_on_the_command_line(type_in: Ask, run: Run) -> None:
    assert type_in("users", "add", "ada", "--role", "admin", text="", code=5)["code"] == "password_refused"
    assert type_in("users", "add", "ada", "--role", "admin", "--password-stdin", text="\n", code=5)["code"] == (
        "password_refused"
    )
    for option in ("--password", "--key", "--secret"):
        run("users", "add", "ada", "--role", "admin", option, PASSWORD, code=2)


def test_the_password_is_asked_for_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[dict[str, object]] = []

    def prompt(text: str, **options: object) -> str:
        asked.append({"text": text, **options})
        return PASSWORD

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("typer.prompt", prompt)
    assert read_password(from_stdin=False) == PASSWORD
    assert asked == [{"text": "Password", "hide_input": True, "confirmation_prompt": True, "err": True}]


def test_a_key_is_shown_once(ask: Ask, run: Run) -> None:
    made = ask("keys", "create", "gate", "--role", "device", "--source", "gate-3", "--expires-days", "30")
    assert made["key"].startswith(f"{made['prefix']}_")
    listed = run("keys", "list", "--json").stdout + run("keys", "list").stdout
    assert "gate-3" in listed
    assert made["key"] not in listed
    assert ask("keys", "create", "gate", "--role", "viewer", code=4)["code"] == "account_taken"
    assert ask("keys", "create", "x", "--role", "viewer", "--source", "s", code=5)["code"] == "account_refused"
    assert ask("keys", "revoke", made["prefix"])["revoked_at"] is not None
    assert ask("keys", "revoke", "none", code=3)["code"] == "key_not_found"


def test_no_secret_reaches_database_files_in_the_clear(ask: Ask, type_in: Ask, home: Path) -> None:
    type_in("users", "add", "ada", "--role", "admin", "--password-stdin")
    key = ask("keys", "create", "gate", "--role", "viewer")["key"]
    for file in (home / "var").glob("understudy.db*"):
        content = file.read_bytes()
        assert PASSWORD.encode() not in content
        assert key.encode() not in content


def test_a_running_server_asks_from_the_first_account_on(
    ask: Ask, type_in: Ask, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_serve(home, UNDERSTUDY_WORKERS="0") as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/api/v1/models").status_code == 200
        type_in("users", "add", "ada", "--role", "admin", "--password-stdin")
        deadline = time.monotonic() + 30
        while client.get("/api/v1/models").status_code == 200:
            assert time.monotonic() < deadline
        assert ask("list", "--url", url, code=7)["code"] == "not_signed_in"
        key = ask("keys", "create", "viewer", "--role", "viewer")["key"]
        monkeypatch.setenv("UNDERSTUDY_KEY", key)
        assert ask("list", "--url", url)["models"] == []
        assert ask("rollback", "--url", url, code=7)["code"] == "not_allowed"
        ask("keys", "revoke", "viewer")
        deadline = time.monotonic() + 30
        while client.get("/api/v1/models", headers={"authorization": f"Bearer {key}"}).status_code == 200:
            assert time.monotonic() < deadline


def test_the_key_of_a_command_is_not_in_the_list_of_processes(home: Path) -> None:
    """Other users of the machine see arguments, and not the environment."""
    key = "usk_abcdefgh_" + "A" * 43
    command = [sys.executable, "-m", "understudy.cli", "list", "--url", "http://127.0.0.1:9"]
    with subprocess.Popen(
        command,
        env=os.environ | {"UNDERSTUDY_KEY": key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        seen = Path(f"/proc/{process.pid}/cmdline").read_text() if sys.platform == "linux" else ""
        out, err = process.communicate(timeout=120)
    assert key not in seen + out + err
