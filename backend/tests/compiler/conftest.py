"""Model files of every format, written once by the frameworks themselves and kept between runs."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

_HERE = Path(__file__).parent
_SCRIPT_SECONDS = 540


def _run_script(name: str, *arguments: Path) -> None:
    """Run a script of this folder in its own process, so that the tests' process imports no training framework."""
    environment = os.environ | {"PYTHONPATH": str(_HERE.parents[1]), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, _HERE / name, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SCRIPT_SECONDS,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{name} failed:\n{done.stderr[-4000:]}")


def _make_once(cache: Path, name: str, inputs: list[Path], make: Callable[[Path], None]) -> Path:
    """Return the folder with `make`'s result, named by the content of `inputs`; only one test process makes it."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs))
    for package in ("keras", "tf-keras", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert"):
        digest.update(importlib.metadata.version(package).encode())
    target = cache / f"{name}-{digest.hexdigest()[:16]}"
    with FileLock(cache / f"{name}.lock"):
        if not target.exists():
            for outdated in cache.glob(f"{name}-{'?' * 16}"):
                shutil.rmtree(outdated)
            scratch = target.with_suffix(".new")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            make(scratch)
            scratch.rename(target)
    return target


@pytest.fixture(scope="session")
def model_files(pytestconfig: pytest.Config) -> Path:
    """A folder of small models named `<writer>-<what>.<suffix>`, some of them hostile."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("the compiler's frameworks are not installed")
    cache = pytestconfig.cache.mkdir("model-files")
    script = _HERE / "make_models.py"
    return _make_once(cache, "files", [script], lambda folder: _run_script(script.name, folder))


@pytest.fixture(scope="session")
def matrix(pytestconfig: pytest.Config, model_files: Path) -> dict[str, dict[str, Any]]:
    """The compiler's result for every file of `model_files`: signature and parity, or the refusal."""
    cache = pytestconfig.cache.mkdir("model-files")
    code = [*sorted((_HERE.parents[1] / "understudy" / "compiler").rglob("*.py")), *sorted(_HERE.glob("m*.py"))]
    made = _make_once(
        cache, "matrix", code, lambda folder: _run_script("matrix.py", model_files, folder / "matrix.json")
    )
    rows: dict[str, dict[str, Any]] = json.loads((made / "matrix.json").read_text(encoding="utf-8"))
    return rows
