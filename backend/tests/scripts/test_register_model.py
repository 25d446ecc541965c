"""The command lines of docs/guide.md, word for word, in a shell."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.types import ModelFactory

_BACKEND = Path(__file__).resolve().parents[2]

POSIX = """\
python scripts/register_model.py \\
  --name "YAMNet Human Detection v1" \\
  --path "models/my_yamnet_human_model.keras" \\
  --version "v1.0" \\
  --description "YAMNet-based model for human distress detection" \\
  --type "yamnet" \\
  --activate
"""

WINDOWS = (
    r'python scripts\register_model.py --name "YAMNet Human Detection v1" --path "models\my_yamnet_human_model.keras" '
    r'--version "v1.0" --description "YAMNet-based model for human distress detection" --type "yamnet" --activate'
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compiled store that the tests share: the first one compiles the model for all of them."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def checkout(home: Path, compiled: Path) -> Path:
    """A backend folder with the package, the script and models/, as a clone has it; returns the backend folder."""
    (home / "var" / "compiled").symlink_to(compiled, target_is_directory=True)
    (home / "scripts").mkdir()
    shutil.copyfile(_BACKEND / "scripts" / "register_model.py", home / "scripts" / "register_model.py")
    (home / "understudy").symlink_to(_BACKEND / "understudy", target_is_directory=True)
    return home


def shell(line: str, home: Path, *, python: Path = Path(sys.executable)) -> subprocess.CompletedProcess[str]:
    """Run a line in backend/ with `python` being `python`, and nothing of this test's environment but the path."""
    folder = home.parent / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "python"
    if not command.exists():
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n')
        command.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "UNDERSTUDY_HOME": str(home)}
    return subprocess.run(  # noqa: S602  # the document's lines are shell
        line,
        shell=True,
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_lines_are_those_of_the_guide() -> None:
    guide = (_BACKEND.parent / "docs" / "guide.md").read_text("utf-8")
    assert POSIX.strip() in guide
    assert WINDOWS in guide


@pytest.mark.parametrize("spelling", ["posix", "windows"])
def test_the_documented_line_registers_and_activates(spelling: str, checkout: Path, make_model: ModelFactory) -> None:
    """The file is ONNX under the document's name: it is known by its content. Only Windows finds `scripts\\…`."""
    make_model(checkout / "models" / "my_yamnet_human_model.keras")
    line = POSIX if spelling == "posix" else WINDOWS.replace(r"scripts\register", "scripts/register")
    done = shell(line, checkout)
    assert done.returncode == 0, done.stderr
    assert "● active" in done.stdout
    assert "models/my_yamnet_human_model.keras" in done.stdout
    assert re.search(r"version +v1\.0", done.stdout)
    again = shell(line, checkout)
    assert again.returncode == 4
    assert "taken" in again.stderr


def test_the_short_line_of_the_workflow(checkout: Path, make_model: ModelFactory) -> None:
    make_model(checkout / "models" / "new_model.keras")
    line = 'python scripts/register_model.py --name "New Model Name" --path "models/new_model.keras" --version "v1.0"'
    assert shell(line, checkout).returncode == 0


def test_history_names_the_script(checkout: Path, make_model: ModelFactory) -> None:
    make_model(checkout / "legacy.onnx")
    assert shell("python scripts/register_model.py --name Legacy --path legacy.onnx", checkout).returncode == 0
    assert "script" in shell("python -m understudy.cli history", checkout).stdout


def test_a_refusal_writes_nothing_and_says_why(checkout: Path) -> None:
    done = shell('python scripts/register_model.py --name "x" --path "models/none.keras"', checkout)
    assert done.returncode == 5
    assert "models/none.keras" in done.stderr
    assert done.stdout == ""


def test_help_names_the_script(checkout: Path) -> None:
    assert "Usage: register_model.py" in shell("python scripts/register_model.py --help", checkout).stdout


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A Python without any package."""
    folder = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def test_a_python_without_the_packages_runs_the_script_with_the_checkouts_venv(
    checkout: Path, bare: Path, make_model: ModelFactory
) -> None:
    make_model(checkout / "models" / "one.onnx")
    made = checkout.parent / ".venv" / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    made.chmod(0o755)
    done = shell("python scripts/register_model.py --name One --path models/one.onnx", checkout, python=bare)
    assert done.returncode == 0, done.stderr
    assert "models/one.onnx" in done.stdout


def test_a_python_without_the_packages_and_no_venv_says_what_to_do(checkout: Path, bare: Path) -> None:
    done = shell("python scripts/register_model.py --name One --path models/one.onnx", checkout, python=bare)
    assert done.returncode == 1
    assert "make install" in done.stderr
    assert "Traceback" not in done.stderr
