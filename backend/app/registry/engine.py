"""Engines set up for each database, and its failures as typed errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.errors import DatabaseUnavailable, Misconfigured
from app.settings import Settings

_CONNECT_SECONDS = 5
_POOL_WAIT_SECONDS = 10.0
_SQLITE_LOCK_SECONDS = 30.0


def database_address(settings: Settings) -> URL:
    """The address with an async driver; raises Misconfigured for one that is malformed or of another database."""
    try:
        url = make_url(settings.sqlalchemy_url)
    except ArgumentError as error:
        raise Misconfigured(f"DATABASE_URL is not a database address: {error}") from error
    if url.drivername == "sqlite":
        url = url.set(drivername="sqlite+aiosqlite")
    if url.drivername not in {"sqlite+aiosqlite", "postgresql+psycopg"}:
        raise Misconfigured(f"DATABASE_URL names {url.drivername}; PostgreSQL (postgresql://…) and SQLite are served.")
    return url


def build_engine(settings: Settings) -> AsyncEngine:
    """An engine whose connections open on first use; raises Misconfigured, and DatabaseUnavailable without a folder."""
    url = database_address(settings)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, settings)
    if find_spec("psycopg") is None:
        raise Misconfigured(
            "DATABASE_URL names PostgreSQL, and its driver is not installed.",
            remedy="Install it: pip install 'understudy[postgres]'.",
        )
    # A transaction pooler hands every transaction to another server session, where prepared statements are unknown.
    return create_async_engine(
        url,
        connect_args={"prepare_threshold": None, "connect_timeout": _CONNECT_SECONDS},
        pool_pre_ping=True,
        pool_timeout=_POOL_WAIT_SECONDS,
    )


def _sqlite_engine(url: URL, settings: Settings) -> AsyncEngine:
    if settings.database_url is None:
        try:
            settings.var_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The folder {settings.var_dir} cannot be made: {error.strerror}.",
                remedy="Make it writable for the user that runs Understudy, or set UNDERSTUDY_HOME.",
            ) from error
    # isolation_level None: the driver opens no transactions of its own, so that BEGIN is ours to spell.
    engine = create_async_engine(
        url,
        connect_args={"isolation_level": None, "timeout": _SQLITE_LOCK_SECONDS},
        pool_timeout=_POOL_WAIT_SECONDS,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()
    connection.create_function("unicode_lower", 1, _lower, deterministic=True)


def _lower(value: object) -> object:
    """SQLite's own lower() knows ASCII only."""
    return value.lower() if isinstance(value, str) else value


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


@contextmanager
def outages_named(engine: AsyncEngine) -> Iterator[None]:
    """Turn what the driver raises during an outage, or before the first migration, into DatabaseUnavailable."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0]
        if "no such table" in said or "UndefinedTable" in type(error.orig).__name__:
            raise DatabaseUnavailable(
                f"The tables are missing in {_shown(engine)}: {said}.", remedy="Create them: `understudy migrate`."
            ) from error
        if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
            raise DatabaseUnavailable(f"{_shown(engine)} does not answer: {said}.") from error
        raise
    except PoolTimeout as error:
        raise DatabaseUnavailable(f"No free connection to {_shown(engine)} within {_POOL_WAIT_SECONDS:g} s.") from error


def _shown(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=True)
