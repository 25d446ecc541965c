"""Fixtures that every folder of tests shares."""

import os
import shutil
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.sample_files import tone, write_classifier
from tests.tables import create_tables
from tests.types import ModelFactory
from understudy.logs import configure_logs
from understudy.settings import Settings

pytest_plugins = ["tests.postgres"]

# A time limit for one example fails on a busy machine; pytest-timeout limits the whole test.
hypothesis_settings.register_profile("understudy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("understudy")

# Applications inside a test compute in its process: worker processes would take a second to start for each test.
_WORKERS = os.environ.get("UNDERSTUDY_TEST_WORKERS", "0")
_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def fresh_logs(request: pytest.FixtureRequest) -> None:
    """Logging is set up for a whole process: what a command or a server set in one test ends with it.

    A server that stands for a whole module set it up before the test. Tracebacks are plain: structlog's own show the
    values of all local variables, which takes seconds of computing.
    """
    structlog.reset_defaults()
    *others, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, plain])
    if "module_settings" in request.fixturenames:
        settings = request.getfixturevalue("module_settings")
        configure_logs(settings.log_format, settings.log_level)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty UNDERSTUDY_HOME."""
    home = tmp_path / "backend"
    (home / "models").mkdir(parents=True)
    (home / "var").mkdir()
    return home


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database has the newest tables and no row."""
    home = tmp_path_factory.mktemp("migrated")
    (home / "var").mkdir()
    create_tables(Settings(home=home))
    return home


@pytest.fixture
def migrated(home: Path, migrated_home: Path) -> None:
    """The newest tables in the database of this test, copied because migrations take longer than most tests.

    With this fixture `database_settings` copies them on PostgreSQL.
    """
    if not (home / "var" / "understudy.db").exists():  # else a test's own `settings` have prepared a database
        shutil.copytree(migrated_home / "var", home / "var", dirs_exist_ok=True)


@pytest.fixture
def shared_store(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A compiled store that all tests of this process share, as nodes may: the same model compiles once."""
    _link_shared_store(home, tmp_path_factory)


def _link_shared_store(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shared = tmp_path_factory.getbasetemp() / "compiled"
    shared.mkdir(exist_ok=True)
    (home / "var" / "compiled").symlink_to(shared, target_is_directory=True)


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an instance of its own, which ignore the environment of the tests."""
    return _read_settings(home, monkeypatch)


def _read_settings(home: Path, patch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("UNDERSTUDY_") or name == "DATABASE_URL"]:
        patch.delenv(name)
    patch.setenv("UNDERSTUDY_WORKERS", _WORKERS)
    return Settings(home=home)


@pytest.fixture(scope="module")
def module_settings(tmp_path_factory: pytest.TempPathFactory, migrated_home: Path) -> Settings:
    """Settings of one instance with the newest tables for a whole module, whose tests change nothing for each other."""
    home = tmp_path_factory.mktemp("module") / "backend"
    (home / "models").mkdir(parents=True)
    shutil.copytree(migrated_home / "var", home / "var")
    _link_shared_store(home, tmp_path_factory)
    with pytest.MonkeyPatch.context() as patch:
        return _read_settings(home, patch)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings and YAMNet's weights."""
    folder = Path(os.environ.get("UNDERSTUDY_TEST_DATA") or _CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder} (set UNDERSTUDY_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def make_model() -> ModelFactory:
    """Writes classifiers with different answers, so that tests can tell models apart."""
    return write_classifier


@pytest.fixture(scope="session")
def wav() -> bytes:
    """Two seconds of a tone as a wav file."""
    return tone(2.0)
