"""The command line as a test calls it: in this process, against a home of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

from app.cli.tree import tree
from tests.types import ModelFactory


class Run(Protocol):
    """Runs `understudy ARGUMENTS` and, unless told otherwise, expects success."""

    def __call__(self, *arguments: str, code: int = 0) -> Result: ...


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in [name for name in os.environ if name.startswith("UNDERSTUDY_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNDERSTUDY_HOME", str(home))
    monkeypatch.setenv("UNDERSTUDY_POLL_SECONDS", "0.1")

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(tree, list(arguments))
        assert result.exit_code == code, f"{result.exit_code}\n{result.stdout}\n{result.stderr}"
        return result

    return invoke


@pytest.fixture
def ask(run: Run) -> Callable[..., Any]:
    """`run` with --json, answering the parsed document; standard output must hold nothing else."""

    def invoke(*arguments: str, code: int = 0) -> Any:
        return json.loads(run(*arguments, "--json", code=code).stdout)

    return invoke


@pytest.fixture
def models(home: Path, make_model: ModelFactory) -> Path:
    """The models folder with one.onnx, which always answers a, and two.onnx, which always answers b."""
    make_model(home / "models" / "one.onnx", winner=0)
    make_model(home / "models" / "two.onnx", winner=1)
    return home / "models"


@pytest.fixture
def clip(tmp_path: Path, wav: bytes) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(wav)
    return path


@pytest.fixture
def server(run: Run, home: Path) -> Iterator[str]:
    """The address of `understudy serve`, in a process of its own, on the same home."""
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--json"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
