import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Run

_BACKEND = str(Path(__file__).resolve().parents[2])
_SCRIPT = """
import sys
from understudy.cli import main
try:
    main(sys.argv[1:])
except SystemExit as done:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}))
    sys.exit(done.code)
"""
_SERVER = """
import asyncio, sys
from asgi_lifespan import LifespanManager
from understudy.cli import server
from understudy.main import create_app

async def live():
    async with LifespanManager(create_app()) as manager:
        assert manager._state["services"].live.current
        print(*sys.modules)

asyncio.run(live())
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


def test_a_server_with_nothing_to_migrate_loads_nothing_that_only_some_work_needs(one: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _SERVER], cwd=_BACKEND, capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert {"sqlalchemy.dialects.sqlite", "uvicorn"} <= modules
    heavy = {"alembic", "scipy", "av", "onnx", "httpx", "numpy.random", "sqlalchemy.dialects.postgresql", "psycopg"}
    heavy |= {"onnxruntime", "soundfile", "soxr"}  # of the worker processes
    assert not modules & (FRAMEWORKS | heavy)
