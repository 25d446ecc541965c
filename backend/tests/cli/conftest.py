"""The command line for tests: in this process, on a home of its own."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

from tests.serve_process import run_serve
from tests.serve_thread import run_in_thread
from tests.types import ModelFactory
from understudy.cli.tree import tree
from understudy.settings import Settings


class Run(Protocol):
    """Runs `understudy ARGUMENTS` and expects the exit code `code`."""

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
    """`run` with --json that returns the parsed document; standard output must hold nothing else."""

    def invoke(*arguments: str, code: int = 0) -> Any:
        return json.loads(run(*arguments, "--json", code=code).stdout)

    return invoke


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory, make_model: ModelFactory) -> Path:
    """A home with both models compiled and One active, for tests to copy."""
    home = tmp_path_factory.mktemp("stocked")
    (home / "models").mkdir()
    for number, (name, model) in enumerate((("One", "one"), ("Two", "two"))):
        make_model(home / "models" / f"{model}.onnx", winner=number)
        arguments = ["register", "--home", str(home), "--name", name, "--path", f"models/{model}.onnx"]
        assert CliRunner().invoke(tree, [*arguments, "--activate"]).exit_code == 0
    assert CliRunner().invoke(tree, ["activate", "1", "--home", str(home)]).exit_code == 0
    assert CliRunner().invoke(tree, ["delete", "2", "--home", str(home)]).exit_code == 0
    return home


@pytest.fixture
def models(home: Path, stocked: Path) -> Path:
    """The models folder with one.onnx, which always answers a, and two.onnx, which always answers b.

    Nothing is registered; that they are compiled already saves every test two seconds.
    """
    shutil.copytree(stocked / "models", home / "models", dirs_exist_ok=True)
    shutil.copytree(stocked / "var" / "compiled", home / "var" / "compiled", dirs_exist_ok=True)
    return home / "models"


@pytest.fixture
def one(run: Run, home: Path, stocked: Path) -> Path:
    """The active model's file, one.onnx; two.onnx lies beside it, and only One is compiled."""
    shutil.copytree(stocked, home, dirs_exist_ok=True)
    [unneeded] = [each["where"] for each in json.loads(run("doctor", "--fix", "--json").stdout)["findings"]]
    assert not Path(unneeded).exists()
    return home / "models" / "one.onnx"


@pytest.fixture
def clip(tmp_path: Path, wav: bytes) -> Path:
    path = tmp_path / "clip.wav"
    path.write_bytes(wav)
    return path


@pytest.fixture
def server(home: Path) -> Iterator[str]:
    """The address of `understudy serve`, in a process of its own, on the same home."""
    with run_serve(home, UNDERSTUDY_POLL_SECONDS="0.1") as address:
        yield address


@pytest.fixture
def http_server(run: Run, home: Path) -> Iterator[str]:
    """The address of a server on the same home in a thread of this process, for commands that only talk to one."""
    with run_in_thread(Settings(home=home, workers=0, poll_seconds=0.1)) as address:
        yield f"http://{address}"
