import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.postgres import ByHand
from tests.registry.types import Add
from understudy.registry.database.database import Database
from understudy.registry.database.notifications import watch_changes
from understudy.registry.deployment import desired_state
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def test_a_switch_is_heard_by_another_process(
    database: Database, database_settings: Settings, add: Add, by_hand: ByHand
) -> None:
    model = await add("head")
    async with aclosing(watch_changes(database_settings)) as heard:
        waiting = asyncio.create_task(anext(heard))
        if database_settings.database_url is None:
            await asyncio.sleep(0)  # its first look
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
        async with aclosing(watch_changes(nowhere)) as heard:
            waiting = asyncio.ensure_future(anext(heard))
            async with asyncio.timeout(30):
                while not logs and not waiting.done():
                    await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
    assert logs[0]["event"] == "deployment_notifications_lost"
    assert logs[0]["log_level"] == "warning"
