"""An installation for the doctor to examine."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.types import ModelFactory
from understudy.container import Services, open_services
from understudy.doctor.doctor import Doctor, DoctorReport
from understudy.doctor.finding import Finding, FindingState
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings


def list_codes(report: DoctorReport) -> list[str]:
    return [finding.code for finding in report.findings]


@dataclass(frozen=True)
class Installation:
    """A home folder with its database on SQLite; `one.onnx` always answers a, `two.onnx` always answers b."""

    settings: Settings

    @property
    def one(self) -> Path:
        return self.settings.models_dir / "one.onnx"

    @property
    def two(self) -> Path:
        return self.settings.models_dir / "two.onnx"

    @property
    def store(self) -> Path:
        return self.settings.compiled_dir

    async def examine(self, *, fix: bool = False, keep_active: int | None = None) -> DoctorReport:
        return await Doctor(self.settings).examine(fix=fix, keep_active=keep_active)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Services]:
        async with open_services(self.settings, "test") as services:
            yield services

    async def register_two(self) -> int:
        async with self.open() as services:
            request = ModelCreate(model_name="Two", file_path="models/two.onnx")
            return (await services.registry.register(request, "test")).model_id

    async def compile(self, model_id: int) -> str:
        """Compile the model and return its key in the store."""
        async with self.open() as services:
            return (await services.compilation.compile(await services.registry.ensure_file_record(model_id))).key

    def edit(self, *statements: str) -> None:
        """Change the database by hand."""
        place = self.settings.var_dir / "understudy.db"
        with closing(sqlite3.connect(place, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    async def assert_repaired(self, code: str) -> None:
        """The finding is there, the fix repairs it, and then nothing is left."""
        assert list_codes(await self.examine()) == [code]
        fixed = await self.examine(fix=True)
        assert [(each.code, each.state) for each in fixed.findings] == [(code, FindingState.FIXED)]
        assert (await self.examine()).findings == ()

    async def assert_left_to_a_person(self, code: str) -> Finding:
        """The finding is there, says what to do, and the fix leaves it open."""
        [finding] = (await self.examine(fix=True)).findings
        assert (finding.code, finding.state) == (code, FindingState.OPEN)
        assert finding.remedy
        return finding


@pytest.fixture(scope="session")
def stocked_home(tmp_path_factory: pytest.TempPathFactory, make_model: ModelFactory) -> Path:
    """A home with one.onnx registered, compiled and active and two.onnx beside it, for tests to copy."""
    home = tmp_path_factory.mktemp("stocked")
    (home / "models").mkdir()
    make_model(home / "models" / "one.onnx", winner=0)
    make_model(home / "models" / "two.onnx", winner=1)

    async def activate_one() -> None:
        async with open_services(Settings(home=home), "test") as services:
            request = ModelCreate(model_name="One", file_path="models/one.onnx")
            model = await services.registry.register(request, "test")
            await services.activation.activate(model.model_id, "test")

    asyncio.run(activate_one())
    return home


@pytest.fixture
def empty(settings: Settings) -> Installation:
    """A home that was never used."""
    return Installation(settings.model_copy(update={"poll_seconds": 0.1}))


@pytest.fixture
def installation(empty: Installation, stocked_home: Path) -> Installation:
    """A home in order: One is compiled and active, two.onnx is neither registered nor compiled."""
    shutil.copytree(stocked_home, empty.settings.home, dirs_exist_ok=True)
    return empty
