"""`understudy deploy`, as far as it needs no cluster."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.test_startup import loaded

Ask = Callable[..., Any]


@pytest.mark.parametrize("arguments", [("ray",), ("delete",)])
def test_without_the_extra_the_command_that_installs_it_is_named(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.delitem(sys.modules, "understudy.ray_serve.deploy", raising=False)
    monkeypatch.setitem(sys.modules, "ray", None)
    problem = ask("deploy", *arguments, code=1)
    assert problem["code"] == "misconfigured"
    assert "pip install '.[ray]'" in problem["remedy"]


def test_options_and_settings_that_cannot_be_deployed_are_named(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--max-replicas" in ask("deploy", "ray", "--min-replicas", "2", code=1)["detail"]
    monkeypatch.setenv("UNDERSTUDY_GRPC_PORT", "8001")
    assert "UNDERSTUDY_GRPC_PORT" in ask("deploy", "ray", code=1)["remedy"]


def test_help_loads_no_ray(run: Run) -> None:
    assert not loaded("deploy", "ray", "--help") & {"ray", "sqlalchemy", "numpy", "fastapi", "onnxruntime"}
