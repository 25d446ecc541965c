"""Engines set up for each database, and its failures as typed errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from understudy.errors import DatabaseUnavailable, Misconfigured
from understudy.registry.database.sqlite import Workers, sqlite_engine
from understudy.settings import Settings

_CONNECT_SECONDS = 5
_POOL_WAIT_SECONDS = 10.0


def redact_address(settings: Settings) -> URL:
    """The address with an async driver; raises Misconfigured for one that is malformed or of another database."""
    try:
        url = make_url(settings.sqlalchemy_url)
    except ArgumentError as error:
        raise Misconfigured(f"DATABASE_URL is not a database address: {error}") from error
    except ValueError:
        # What it could not read may be a piece of a password that should have been percent-encoded.
        raise Misconfigured(
            "DATABASE_URL is not a database address: its host or port cannot be read.",
            remedy="Percent-encode special characters of the password, such as %40 for @.",
        ) from None
    if url.drivername == "sqlite":
        url = url.set(drivername="sqlite+aiosqlite")
    if url.drivername not in {"sqlite+aiosqlite", "postgresql+psycopg"}:
        raise Misconfigured(f"DATABASE_URL names {url.drivername}; PostgreSQL (postgresql://…) and SQLite are served.")
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise Misconfigured("DATABASE_URL names no file: SQLite in memory would be forgotten with every connection.")
    return url


def shown(url: URL) -> str:
    """The address without its password, which may stand among the options as well."""
    harmless = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return url.set(query=harmless).render_as_string(hide_password=True)


def build_engine(settings: Settings, workers: Workers) -> AsyncEngine:
    """An engine whose connections open on first use; raises Misconfigured, and DatabaseUnavailable without a folder."""
    url = redact_address(settings)
    if url.get_backend_name() == "sqlite":
        return _embedded_engine(url, settings, workers)
    if find_spec("psycopg") is None:
        raise Misconfigured(
            "DATABASE_URL names PostgreSQL, and its driver is not installed.",
            remedy="Run `pip install '.[postgres]'` in the checkout.",
        )
    # A transaction pooler hands every transaction to another server session, where prepared statements are unknown.
    return create_async_engine(
        url,
        connect_args={"prepare_threshold": None, "connect_timeout": _CONNECT_SECONDS},
        pool_pre_ping=True,
        pool_timeout=_POOL_WAIT_SECONDS,
    )


def _embedded_engine(url: URL, settings: Settings, workers: Workers) -> AsyncEngine:
    if settings.database_url is None:
        try:
            settings.var_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The folder {settings.var_dir} cannot be made: {error.strerror}.",
                remedy="Make it writable for the user that runs Understudy, or set UNDERSTUDY_HOME.",
            ) from error
    return sqlite_engine(url, workers, _POOL_WAIT_SECONDS)


@contextmanager
def translate_database_errors(engine: AsyncEngine) -> Iterator[None]:
    """Turn what the driver raises during an outage, or before the first migration, into DatabaseUnavailable."""
    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip().partition("\n")[0]
        if "no such table" in said or "UndefinedTable" in type(error.orig).__name__:
            raise DatabaseUnavailable(
                f"The tables are missing in {shown(engine.url)}: {said}.", remedy="Create them: `understudy migrate`."
            ) from error
        if "invalid connection option" in said:
            raise Misconfigured(f"DATABASE_URL: {said}.", remedy="Remove that option from the address.") from error
        if "not a database" in said or "malformed" in said:
            raise DatabaseUnavailable(
                f"{shown(engine.url)} is damaged or no database: {said}.",
                remedy="Put a backup in its place, or move the file away to begin with an empty registry.",
            ) from error
        if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
            raise DatabaseUnavailable(f"{shown(engine.url)} does not answer: {said}.") from error
        raise
    except PoolTimeout as error:
        raise DatabaseUnavailable(
            f"No free connection to {shown(engine.url)} within {_POOL_WAIT_SECONDS:g} s."
        ) from error
