"""Fixtures that every folder of tests shares."""

import os
from pathlib import Path

import pytest

from app.settings import Settings

_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty UNDERSTUDY_HOME."""
    home = tmp_path / "backend"
    (home / "models").mkdir(parents=True)
    (home / "var").mkdir()
    return home


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an instance of its own, deaf to the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("UNDERSTUDY_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    return Settings(home=home)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings and YAMNet's weights."""
    folder = Path(os.environ.get("UNDERSTUDY_TEST_DATA") or _CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set UNDERSTUDY_TEST_DATA)")
    return folder
