import asyncio
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from tests.postgres import ByHand, needs_direct
from tests.registry.types import Add
from understudy.registry.database.database import Database
from understudy.registry.database.notifications import watch_changes
from understudy.registry.deployment import desired_state
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, needs_direct]


async def test_a_switch_is_noticed_by_another_process(
    database: Database, database_settings: Settings, add: Add, by_hand: ByHand
) -> None:
    model = await add("head")
    async with aclosing(watch_changes(database_settings)) as changes:
        waiting = asyncio.create_task(anext(changes))
        if database_settings.database_url is None:
            await asyncio.sleep(0)  # the watcher reads the state of the log file
        else:
            while by_hand("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'") != [(1,)]:
                await asyncio.sleep(0.02)
        assert not waiting.done()
        async with database.write() as session:
            await desired_state.switch(session, model.model_id, actor="api")
        await asyncio.wait_for(waiting, 20)


async def test_a_database_that_cannot_be_listened_to_is_logged_and_raises_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    nowhere = Settings(home=settings.home, database_url=f"postgresql://someone@/db?host={tmp_path}")
    with capture_logs() as logs:
        async with aclosing(watch_changes(nowhere)) as changes:
            waiting = asyncio.ensure_future(anext(changes))
            async with asyncio.timeout(30):
                while not logs and not waiting.done():
                    await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
    assert logs[0]["event"] == "deployment_notifications_lost"
    assert logs[0]["log_level"] == "warning"


async def test_pauses_after_a_lost_connection_double_with_jitter(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers that lost one database at the same moment must not all return at the same moment."""
    nowhere = Settings(home=settings.home, database_url=f"postgresql://someone@/db?host={tmp_path}")
    runs = [await _record_pauses(nowhere, monkeypatch) for _ in range(2)]
    for pauses in runs:
        for pause, longest in zip(pauses, (1, 2, 4, 8, 16, 32, 60, 60), strict=True):
            assert longest / 2 <= pause <= longest
    assert runs[0] != runs[1]


async def _record_pauses(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The first eight pauses, with a clock that does not wait."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise asyncio.CancelledError

    monkeypatch.setattr(anyio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await anext(watch_changes(settings))
    return pauses
