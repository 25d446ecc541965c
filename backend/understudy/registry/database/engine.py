"""Builds the engine of each database and turns its failures into typed errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from understudy.errors import DatabaseUnavailable, Misconfigured, UnderstudyError
from understudy.registry.database.address import format_address, parse_address
from understudy.registry.database.sqlite import ConnectionThreads, build_sqlite_engine
from understudy.settings import Settings

_CONNECT_SECONDS = 5
_POOL_WAIT_SECONDS = 10.0


def build_engine(settings: Settings, threads: ConnectionThreads) -> AsyncEngine:
    """Return an engine whose connections open on first use.

    Raises Misconfigured for an address that cannot be used, and DatabaseUnavailable when the folder of the SQLite file
    cannot be created.
    """
    url = parse_address(settings)
    if url.get_backend_name() == "sqlite":
        return _build_embedded_engine(url, settings, threads)
    if find_spec("psycopg") is None:
        raise Misconfigured(
            "DATABASE_URL names PostgreSQL, but its driver is not installed.",
            remedy="Run `pip install '.[postgres]'` in the checkout.",
        )
    # A transaction pooler runs each transaction in another server session, which does not know the statements prepared
    # in an earlier one.
    return create_async_engine(
        url,
        connect_args={"prepare_threshold": None, "connect_timeout": _CONNECT_SECONDS},
        pool_pre_ping=True,
        pool_timeout=_POOL_WAIT_SECONDS,
    )


def _build_embedded_engine(url: URL, settings: Settings, threads: ConnectionThreads) -> AsyncEngine:
    if settings.database_url is None:
        try:
            settings.var_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The folder {settings.var_dir} cannot be created: {error.strerror}.",
                remedy="Make it writable for the user that runs Understudy, or set UNDERSTUDY_HOME.",
            ) from error
    return build_sqlite_engine(url, threads, _POOL_WAIT_SECONDS)


@contextmanager
def translate_database_errors(engine: AsyncEngine) -> Iterator[None]:
    """Raise DatabaseUnavailable for an outage, a damaged file or missing tables, Misconfigured for a bad option."""
    try:
        yield
    except DBAPIError as error:
        translated = _translate(error, format_address(engine.url))
        if translated is None:
            raise
        raise translated from error
    except PoolTimeout as error:
        raise DatabaseUnavailable(
            f"No free connection to {format_address(engine.url)} within {_POOL_WAIT_SECONDS:g} s."
        ) from error


def _translate(error: DBAPIError, address: str) -> UnderstudyError | None:
    """Return the typed error for what the driver raised, or None for an error of the statement itself."""
    reason = str(error.orig).strip().partition("\n")[0]
    if "no such table" in reason or "UndefinedTable" in type(error.orig).__name__:
        return DatabaseUnavailable(
            f"The tables are missing in {address}: {reason}.", remedy="Create them: `understudy migrate`."
        )
    if "invalid connection option" in reason:
        return Misconfigured(f"DATABASE_URL: {reason}.", remedy="Remove that option from the address.")
    if "not a database" in reason or "malformed" in reason:
        return DatabaseUnavailable(
            f"{address} is damaged or is not a database: {reason}.",
            remedy="Replace it by a backup, or move the file away to begin with an empty registry.",
        )
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return DatabaseUnavailable(f"{address} does not answer: {reason}.")
    return None
