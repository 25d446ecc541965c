"""The paths that older instructions name still work in a checkout."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.models.ml_model import MlModel
from understudy import models

_BACKEND = Path(__file__).resolve().parents[2]


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    """Runs uvicorn on the documented path, in backend/, and returns its address."""
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", "0"]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("UNDERSTUDY_", "DATABASE_URL"))
    }
    environment["UNDERSTUDY_HOME"] = str(home)
    with subprocess.Popen(command, cwd=_BACKEND, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", line):
                yield found[1]
                break
        else:
            pytest.fail("".join(lines))
        process.terminate()
        process.communicate()


def test_uvicorn_serves_the_documented_factory(address: str) -> None:
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.get("/api/v1/models").json()["models"] == []


def test_the_documented_model_class_is_the_one_of_the_library() -> None:
    assert MlModel is models.MlModel
    assert MlModel.__tablename__ == "ml_models"
