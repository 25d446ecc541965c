"""Creates the tables of an empty database."""

import asyncio

from understudy.registry import schema
from understudy.registry.database.database import Database
from understudy.settings import Settings


def create_tables(settings: Settings) -> None:
    """Create the newest tables in the empty database of `settings`."""

    async def migrate() -> None:
        async with Database(settings) as database:
            await schema.migrate(database)

    asyncio.run(migrate())
