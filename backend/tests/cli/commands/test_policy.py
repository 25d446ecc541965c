"""The policies of activations from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def cheap_passwords(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_PASSWORD_MEMORY_KIB", "8")
    monkeypatch.setenv("UNDERSTUDY_PASSWORD_PASSES", "1")


def test_a_freeze_holds_an_activation_until_it_is_overridden_or_removed(run: Run, ask: Ask, one: Path) -> None:
    set_ = ask("policy", "set", "--freeze", "2020-01-01 00:00 - 2999-01-01 00:00 UTC", "--freeze", "22:00 - 06:00 UTC")
    assert [each["begins"] for each in set_["freezes"]] == ["2020-01-01 00:00", "22:00"]
    assert ask("activate", "1", code=4)["code"] == "frozen"
    assert ask("activate", "1", "--override-freeze", code=5)["code"] == "request_invalid"
    assert ask("activate", "1", "--override-freeze", "--reason", "it burns")["state"] == "succeeded"
    shown = run("policy", "show").stdout
    assert "Frozen now: 2020-01-01 00:00 - 2999-01-01 00:00 UTC" in shown
    assert ask("policy", "set", "--no-freeze")["freezes"] == []
    assert ask("history", "--event", "policies_changed")["entries"][0]["after"] == {"freezes": []}


def test_a_model_is_confirmed(run: Run, ask: Ask, one: Path) -> None:
    ask("policy", "set", "--confirm-minutes", "30")
    ask("register", "--name", "Two", "--path", "models/two.onnx", "--activate")
    assert "is live again in" in run("policy", "show").stdout
    assert ask("policy", "confirm", "--generation", "1", code=4)["code"] == "nothing_to_confirm"
    assert ask("policy", "confirm")["confirmation"] is None
    assert ask("policy", "set", "--no-confirm")["confirm_minutes"] is None


def test_an_activation_waits_for_a_person(run: Run, ask: Ask, one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("policy", "set", "--four-eyes", code=4)["code"] == "policy_refused"
    for name in ("anna", "boris"):
        monkeypatch.setattr("understudy.cli.commands.users.read_password", lambda *_, **__: "correct horse battery")
        ask("users", "add", name, "--role", "operator")
    assert ask("keys", "create", "ci", "--role", "operator", "--person", "anna")["person"] == "anna"
    assert ask("keys", "assign", "ci")["person"] is None
    assert ask("policy", "set", "--four-eyes", "--request-hours", "2")["four_eyes"] is True
    assert ask("activate", "1", code=4)["code"] == "approval_needed"
    assert "activate" in run("policy", "show").stdout
    assert ask("policy", "approve", "1", code=7)["code"] == "approval_refused"
    assert ask("policy", "decline", "1", "--reason", "no")["state"] == "declined"
    assert ask("policy", "approve", "9", code=3)["code"] == "request_not_found"


@pytest.mark.parametrize("span", ["fri 16:00", "fri 16:00 - UTC", "a - b"])
def test_a_span_that_cannot_be_read_is_refused(run: Run, span: str) -> None:
    run("policy", "set", "--freeze", span, code=2)
