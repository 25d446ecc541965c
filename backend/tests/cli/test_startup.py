import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Run

_BACKEND = str(Path(__file__).resolve().parents[2])
_SCRIPT = """
import sys
from app.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}))
    sys.exit(done.code)
"""
FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "tf2onnx", "h5py"}


def loaded(*arguments: str) -> set[str]:
    """Top-level packages in memory after a command that succeeds."""
    command = [sys.executable, "-c", _SCRIPT, *arguments]
    done = subprocess.run(command, cwd=_BACKEND, capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_help_loads_nothing_that_only_work_needs() -> None:
    assert not loaded("register", "--help") & (FRAMEWORKS | {"sqlalchemy", "onnxruntime", "onnx", "numpy", "fastapi"})


def test_compiling_and_predicting_load_no_training_framework(run: Run, models: Path, clip: Path) -> None:
    run("register", "--name", "One", "--path", "models/one.onnx", "--labels", "x,y,z")
    assert not loaded("activate", "1") & FRAMEWORKS
    assert not loaded("predict", str(clip)) & FRAMEWORKS
