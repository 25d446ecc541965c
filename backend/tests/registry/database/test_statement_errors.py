"""Every answer of the database is a typed error: the caller's with 409, the database's own with 503."""

import pytest
from sqlalchemy import text

from tests.postgres import ByHand, only_postgresql
from understudy.errors import DatabaseBusy, DatabaseDenied, DatabaseUnavailable, RowRefused, UnderstudyError
from understudy.registry.database.database import Database

pytestmark = pytest.mark.anyio

_FAIL = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'for a test' USING ERRCODE = current_setting('test.state'); END $$
"""
_ROWS = {"22003", "23505", "23514", "44000", "P0001"}
_BUSY = {"40001", "40P01", "55P03", "57014"}
_DENIED = {"42501", "25006"}
_OTHERS = {"53100", "53200", "53300", "XX000", "XX001", "XX002", "58030", "0A000", "25P03", "28000", "3D000", "3F000"}
_OTHERS |= {"54000", "55000", "57000", "F0000", "26000", "2F003", "34000"}


@only_postgresql
async def test_each_state_of_postgresql_has_its_error(database: Database, by_hand: ByHand) -> None:
    by_hand(_FAIL, "CREATE TRIGGER fail BEFORE UPDATE ON understudy_stage EXECUTE FUNCTION fail()")

    async def provoke(state: str) -> None:
        async with database.write() as session:
            await session.execute(text(f"SET LOCAL test.state = '{state}'"))
            await session.execute(text("UPDATE understudy_stage SET generation = 1"))

    for states, kind, status in (
        (_ROWS, RowRefused, 409),
        (_BUSY, DatabaseBusy, 503),
        (_DENIED, DatabaseDenied, 503),
        (_OTHERS, DatabaseUnavailable, 503),
    ):
        for state in states:
            with pytest.raises(UnderstudyError) as refusal:
                await provoke(state)
            assert (type(refusal.value), refusal.value.status) == (kind, status), state
            assert "for a test" in refusal.value.detail
            if state == "53100":
                assert "Free space" in refusal.value.remedy
