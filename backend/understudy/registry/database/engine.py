"""Builds the engine of each database and turns its failures into typed errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from understudy.errors import DatabaseUnavailable, Misconfigured, UnderstudyError
from understudy.registry.database.sqlite import ConnectionThreads, build_sqlite_engine
from understudy.settings import Settings

_CONNECT_SECONDS = 5
_POOL_WAIT_SECONDS = 10.0
_REMEDY = "Set DATABASE_URL to postgresql://USER:PASSWORD@HOST/NAME or sqlite:////FOLDER/FILE.db, or unset it."


def parse_address(settings: Settings) -> URL:
    """Return the address of `settings` with its async driver.

    Raises Misconfigured for an address that is malformed, names no file (SQLite) or names another kind of database.
    """
    try:
        url = make_url(settings.sqlalchemy_url)
    except ArgumentError as error:
        raise Misconfigured(f"DATABASE_URL is not a database address: {error}", remedy=_REMEDY) from error
    except ValueError:
        # The part that cannot be read may be a piece of a password: it must not be shown.
        raise Misconfigured(
            "DATABASE_URL is not a database address: its host or port cannot be read.",
            remedy="Percent-encode special characters of the password, such as %40 for @.",
        ) from None
    if url.drivername == "sqlite":
        url = url.set(drivername="sqlite+aiosqlite")
    if url.drivername not in {"sqlite+aiosqlite", "postgresql+psycopg"}:
        raise Misconfigured(f"DATABASE_URL names {url.drivername}, which is not supported.", remedy=_REMEDY)
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise Misconfigured(
            "DATABASE_URL names no file, and a database in memory is lost with every connection.", remedy=_REMEDY
        )
    return url


def format_address(url: URL) -> str:
    """Return the address without its password, which may also be among the options."""
    harmless = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return url.set(query=harmless).render_as_string(hide_password=True)


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
