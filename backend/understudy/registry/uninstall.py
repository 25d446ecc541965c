"""Use-case that removes Understudy from a database."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from understudy.errors import Conflict
from understudy.migrations.removal import Removal, plan_removal, remove
from understudy.models import Replica
from understudy.registry.database.advisory_lock import AdvisoryLock, hold_until_commit
from understudy.registry.database.database import Database
from understudy.registry.deployment import replicas


async def plan(database: Database, *, keep_ml_models: bool) -> Removal:
    """Return what `uninstall` would remove; change nothing.

    Raises Conflict when `ml_models` would have to go and the records do not say that Understudy made it.
    """
    async with database.read(seconds=database.long_seconds) as session:
        return await _plan(await session.connection(), keep_ml_models=keep_ml_models)


async def uninstall(database: Database, *, keep_ml_models: bool) -> Removal:
    """Remove Understudy's tables, triggers and functions in one transaction, and return what was removed.

    Without `keep_ml_models`, `ml_models` goes too. Raises what `plan` raises, and Conflict while a server runs on this
    database or where an object of the user's depends on a table. After an error nothing is removed.
    """
    async with database.write(seconds=database.long_seconds) as session:
        connection = await session.connection()
        await hold_until_commit(connection, AdvisoryLock.MIGRATION)
        found = await _plan(connection, keep_ml_models=keep_ml_models)
        if Replica.__tablename__ in found.tables:
            await replicas.refuse_running(session)
        try:
            await connection.run_sync(remove, found)
        except DBAPIError as error:
            if not _is_dependency(error):
                raise
            reason = " ".join(str(error.orig).split())
            raise Conflict(
                f"Something in this database depends on Understudy's tables, so nothing was removed: {reason}",
                remedy="Drop what the message names, or its reference to the table, and run the command again.",
            ) from error
    return found


async def _plan(connection: AsyncConnection, *, keep_ml_models: bool) -> Removal:
    found = await connection.run_sync(lambda bare: plan_removal(bare, keep_ml_models=keep_ml_models))
    if not keep_ml_models and not found.created_ml_models and found.kept_models is not None:
        raise Conflict(
            "Understudy has no record that it made ml_models, so it does not remove that table"
            f" with its {found.kept_models} rows.",
            remedy="Keep the table: `understudy uninstall --keep-ml-models`. To remove it as well, run afterwards"
            " DROP TABLE ml_models; in the database's own shell.",
        )
    return found


def _is_dependency(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "2BP01" or "FOREIGN KEY constraint failed" in str(error.orig)
