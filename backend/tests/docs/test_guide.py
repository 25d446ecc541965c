"""Tests that the commands and examples of README, guide.md and python.md work as they are written."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
BACKEND = CHECKOUT / "backend"
GUIDE = (CHECKOUT / "docs" / "guide.md").read_text(encoding="utf-8")
PYTHON = (CHECKOUT / "docs" / "python.md").read_text(encoding="utf-8")
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
# Every file that the guide and README register; all hold the starter model, so that it is compiled once.
FILES = ("my_yamnet_human_model", "yamnet_human_v2", "new_model", "mine")

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Instance:
    """A home folder with the documented model files, and a server on it; commands run in `folder`."""

    folder: Path
    environment: dict[str, str]
    port: int

    def run(self, command: str, *, folder: Path | None = None) -> str:
        return self.call(["bash", "-euo", "pipefail", "-c"], command, folder)

    def run_python(self, code: str) -> str:
        return self.call([sys.executable, "-c"], code, None)

    def call(self, interpreter: list[str], command: str, folder: Path | None) -> str:
        command = command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        done = subprocess.run(
            [*interpreter, command],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled store that the instances share: the first test compiles the starter model for all of them."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def instance(tmp_path: Path, compiled: Path) -> Iterator[Instance]:
    folder = tmp_path / "backend"
    (folder / "models").mkdir(parents=True)
    (folder / "var").mkdir()
    (folder / "var" / "compiled").symlink_to(compiled, target_is_directory=True)
    for name in ("scripts", "app", "understudy"):
        (folder / name).symlink_to(BACKEND / name)
    (folder / "demo").symlink_to(BACKEND / "demo")
    for name in FILES:
        shutil.copy(BACKEND / "models" / "starter.keras", folder / "models" / f"{name}.keras")
        shutil.copy(BACKEND / "models" / "starter.spec.json", folder / "models" / f"{name}.spec.json")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNDERSTUDY_")}
    environment.pop("DATABASE_URL", None)
    environment |= {
        "UNDERSTUDY_HOME": str(folder),
        "PYTHONPATH": str(BACKEND),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]]),
    }
    serve = [sys.executable, "-m", "understudy.cli", "serve", "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(serve, cwd=BACKEND, env=environment, stderr=log, stdout=log)
    try:
        _wait(f"http://127.0.0.1:{port}/health/live", server)
        yield Instance(folder, environment, port)
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait(address: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None, "The server ended."
        try:
            httpx.get(address).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("The server did not answer.")


def _blocks(language: str, page: str = GUIDE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def test_every_command_of_the_guide_succeeds_in_order(instance: Instance) -> None:
    for block in _blocks("bash"):
        answers = instance.run(block)
        if not block.startswith("curl"):
            continue
        for answer in _documents(answers):
            assert "remedy" not in answer, (block, answer)


def test_the_windows_lines_of_the_guide_register_the_same_files(instance: Instance) -> None:
    for block in _blocks("cmd"):
        instance.run(block.replace("scripts\\register_model.py", "scripts/register_model.py"))
    listed = json.loads(instance.run("curl -sS http://127.0.0.1:8000/api/v1/models"))
    assert [model["file_path"] for model in listed["models"]] == [
        "models/my_yamnet_human_model.keras",
        "models/new_model.keras",
    ]
    assert listed["active_model"]["model_name"] == "New Model Name"


def test_the_tour_of_the_readme_works_in_order_in_the_checkouts_folder(instance: Instance) -> None:
    lines = [line for block in _blocks("bash", README) for line in block.splitlines()]
    # The environment that runs this test stands in for the one that these two lines make.
    assert lines[:2] == ["make install", "source .venv/bin/activate"]
    for line in lines[2:]:
        instance.run(line, folder=instance.folder.parent)
    listed = json.loads(instance.run("curl -sS http://127.0.0.1:8000/api/v1/models"))
    assert [model["model_name"] for model in listed["models"]] == ["Starter", "Mine v1"]
    assert listed["active_model"]["model_id"] == 1, "rolled back to the starter model"


def test_the_client_of_the_python_page_predicts(instance: Instance) -> None:
    instance.run("understudy demo --no-serve")
    client, _ = _blocks("python", PYTHON)
    _wait_until_live(instance)
    assert re.fullmatch(r"alarm_beep 0\.\d+ Starter\n", instance.run_python(client))


def test_the_mounted_application_of_the_python_page_answers(instance: Instance) -> None:
    _, mounted = _blocks("python", PYTHON)
    asked = """
from fastapi.testclient import TestClient
with TestClient(app, base_url="http://127.0.0.1") as client:
    print(client.get("/understudy/health/live").status_code)
"""
    assert instance.run_python(mounted + asked).splitlines()[-1] == "200"


def _wait_until_live(instance: Instance) -> None:
    """The server follows an activation of the command line within its poll interval."""
    for _ in range(600):
        if httpx.get(f"http://127.0.0.1:{instance.port}/health/ready").is_success:
            return
        time.sleep(0.1)
    pytest.fail("The server did not load the active model.")


def _documents(text: str) -> list[dict[str, object]]:
    """JSON documents written one after the other."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        found.append(document)
        rest = rest[end:].lstrip()
    return found
