"""Fixtures that every folder of tests shares."""

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from onnx import TensorProto, helper, numpy_helper

from tests.types import ModelFactory
from understudy.settings import Settings

pytest_plugins = ["tests.postgres"]

# A time limit for one example fails on a busy machine; pytest-timeout limits the whole test.
hypothesis_settings.register_profile("understudy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("understudy")

# Applications inside a test compute in its process: worker processes would take a second to start for each test.
_WORKERS = os.environ.get("UNDERSTUDY_TEST_WORKERS", "0")
_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def fresh_logs() -> None:
    """Logging is set up for a whole process: what a command or a server set in one test ends with it."""
    structlog.reset_defaults()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty UNDERSTUDY_HOME."""
    home = tmp_path / "backend"
    (home / "models").mkdir(parents=True)
    (home / "var").mkdir()
    return home


@pytest.fixture
def shared_store(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A compiled store that all tests of this process share, as nodes may: the same model compiles once."""
    shared = tmp_path_factory.getbasetemp() / "compiled"
    shared.mkdir(exist_ok=True)
    (home / "var" / "compiled").symlink_to(shared, target_is_directory=True)


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an instance of its own, deaf to the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("UNDERSTUDY_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UNDERSTUDY_WORKERS", _WORKERS)
    return Settings(home=home)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings and YAMNet's weights."""
    folder = Path(os.environ.get("UNDERSTUDY_TEST_DATA") or _CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set UNDERSTUDY_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def make_model() -> ModelFactory:
    """A log-mel classifier that answers label number `winner` whatever it hears, so that tests can tell models apart.

    Input float32 [n, 96, 64], output float32 [n, 3] behind a softmax; `labels` travel in the file's metadata. With
    `sensitive` the scores depend on what is heard, though the winner does not.
    """

    def make(
        path: Path, *, winner: int = 0, labels: Sequence[str] | None = ("a", "b", "c"), sensitive: bool = False
    ) -> Path:
        weights = np.full((1, 3), 0.1 * sensitive, np.float32) * np.arange(3, dtype=np.float32)
        bias = np.where(np.arange(3) == winner, np.float32(4), np.float32(0))
        graph = helper.make_graph(
            [
                helper.make_node("ReduceMean", ["patch", "axes"], ["mean"], keepdims=0),
                helper.make_node("Unsqueeze", ["mean", "last"], ["column"]),
                helper.make_node("Gemm", ["column", "weights", "bias"], ["logits"]),
                helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
            ],
            "classifier",
            [helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", 96, 64])],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
            [
                numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
                numpy_helper.from_array(np.array([1], np.int64), "last"),
                numpy_helper.from_array(weights, "weights"),
                numpy_helper.from_array(bias, "bias"),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        if labels is not None:
            helper.set_model_props(model, {"labels": json.dumps(list(labels))})
        onnx.save(model, path)
        return path

    return make


def tone(seconds: float = 1.0, rate: int = 16_000, hertz: float = 440.0) -> bytes:
    """A sine at half of full scale as a 16-bit wav file."""
    samples = 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="session")
def wav() -> bytes:
    """Two seconds of a tone as a wav file."""
    return tone(2.0)
