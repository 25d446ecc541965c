"""Sets PostgreSQL up so that a connection that goes silent holds nobody up for longer than a deadline."""

import asyncio
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from sqlalchemy import URL, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_Result = TypeVar("_Result")

_CONNECT_SECONDS = 5
# A healthy connection answers within milliseconds. One that does not is replaced, and the transaction goes on.
_PING_SECONDS = 2.0
_INTERVAL_SECONDS = 0.1
_FRESH = "understudy_fresh"


class PromptConnection(psycopg.AsyncConnection[Any]):
    """A connection that ends at once when its task is cancelled.

    The driver asks the server to cancel the statement instead, and waits for its answer, which never comes over a
    connection that went silent. `tests/registry/database/test_deadlines.py` pins the members that are replaced.
    """

    async def wait(
        self,
        gen: PQGen[_Result],
        interval: float = _INTERVAL_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109  # the driver's own signature
    ) -> _Result:
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise

    async def rollback(self) -> None:
        """Roll back; raises OperationalError and ends the connection where the server does not answer.

        SQLAlchemy rolls back in a task of its own, which no deadline of a transaction cancels.
        """
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await super().rollback()
        except TimeoutError as error:
            raise psycopg.OperationalError("the connection went silent") from error

    async def ping(self) -> None:
        """Raises TimeoutError or psycopg.Error where the server does not answer within two seconds."""
        before = self.autocommit
        async with asyncio.timeout(_PING_SECONDS):
            await self.set_autocommit(True)  # else a transaction begins
            await self.execute("")
            await self.set_autocommit(before)


def build_options(url: URL, seconds: float) -> dict[str, Any]:
    """Return the driver's options for connections that notice within about `seconds` that the other side is gone.

    An option that the address names itself is left out. They are those of libpq:
    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    """
    probe = max(1, round(seconds / 5))
    options = {
        "connect_timeout": max(2, min(_CONNECT_SECONDS, round(seconds))),
        "keepalives": 1,
        "keepalives_idle": max(1, round(seconds)),
        "keepalives_interval": probe,
        "keepalives_count": 3,
        "tcp_user_timeout": round(seconds * 1000),
    }
    return {name: value for name, value in options.items() if name not in url.query}


def build_postgres_engine(url: URL, *, connections: int, seconds: float, read_only: bool) -> AsyncEngine:
    """Return an engine of at most `connections` connections, each of which is tried before it is used again."""
    # A transaction pooler runs each transaction in another server session, which does not know the statements prepared
    # in an earlier one.
    engine = create_async_engine(
        url,
        connect_args={
            "async_creator_fn": PromptConnection.connect,
            "prepare_threshold": None,
            **build_options(url, seconds),
        },
        pool_size=connections,
        max_overflow=0,
        pool_timeout=seconds,
        pool_use_lifo=True,
        # What `Database` promises and its locks rely on, also where the server's default is another one.
        isolation_level="READ COMMITTED",
        execution_options={"postgresql_readonly": True} if read_only else {},
    )
    event.listen(engine.sync_engine, "connect", _mark_fresh)
    event.listen(engine.sync_engine, "checkout", _replace_silent)
    return engine


def _mark_fresh(_connection: object, record: Any) -> None:
    record.info[_FRESH] = True


def _replace_silent(connection: Any, record: Any, _proxy: object) -> None:
    """Let the pool open another connection for one that does not answer, and forget those that are as old."""
    if record.info.pop(_FRESH, False):
        return
    try:
        connection.run_async(PromptConnection.ping)
    except (TimeoutError, psycopg.Error) as error:
        silent = DisconnectionError(f"The connection does not answer: {error}")
        silent.invalidate_pool = True
        raise silent from error
