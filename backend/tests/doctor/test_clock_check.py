"""A clock that differs from PostgreSQL's is found."""

from datetime import datetime, timedelta

import pytest

from tests.doctor.conftest import Installation, list_codes
from understudy.doctor import clock_check
from understudy.models import utc_now
from understudy.registry.database.database import Database
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("minutes", "said"), [(5, "300 s ahead of the clock of PostgreSQL"), (-5, "300 s behind the clock of PostgreSQL")]
)
async def test_a_clock_that_is_minutes_apart_is_a_finding(
    settings: Settings, migrated_postgres_url: str, minutes: int, said: str
) -> None:
    def clock() -> datetime:
        return utc_now() + timedelta(minutes=minutes)

    async with Database(settings.model_copy(update={"database_url": migrated_postgres_url})) as database:
        [finding] = await clock_check.check(database, clock)
        assert finding.code == "clock_differs"
        assert said in finding.what
        assert await clock_check.check(database) == []


async def test_servers_on_one_sqlite_file_have_one_clock(settings: Settings) -> None:
    async with Database(settings) as database:
        assert await clock_check.check(database) == []


@pytest.mark.postgres
async def test_doctor_looks_at_the_clock(
    settings: Settings, migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_check, "_ALLOWED", timedelta(days=-1))  # each difference is too large
    on_postgresql = Installation(settings.model_copy(update={"database_url": migrated_postgres_url}))
    assert "clock_differs" in list_codes(await on_postgresql.examine())
