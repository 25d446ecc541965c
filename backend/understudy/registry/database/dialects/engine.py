"""Builds the engine of each database and turns its failures into typed errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from understudy.errors import DatabaseBusy, DatabaseMissing, DatabaseUnavailable, Misconfigured, UnderstudyError
from understudy.registry.database.address import format_address, parse_address
from understudy.registry.database.dialects.sqlite import ConnectionThreads, build_sqlite_engine
from understudy.registry.database.dialects.sqlite_file import refuse_emptied, refuse_foreign_log
from understudy.registry.database.statement_errors import translate_failure, translate_statement_error
from understudy.settings import Settings


def build_engine(settings: Settings, threads: ConnectionThreads, *, read_only: bool = False) -> AsyncEngine:
    """Return an engine whose connections open on first use.

    With `read_only` no folder and no file is made, and the database refuses every statement that would write.

    Raises Misconfigured for an address that cannot be used, DatabaseMissing when an SQLite file to be read does not
    exist, DatabaseReplaced when the log beside an SQLite file belongs to another one or the file was emptied, and
    DatabaseUnavailable when the
    folder of the SQLite file cannot be created.
    """
    url = parse_address(settings)
    if url.get_backend_name() == "sqlite":
        return _build_embedded_engine(url, settings, threads, read_only=read_only)
    if find_spec("psycopg") is None:
        raise Misconfigured(
            "DATABASE_URL names PostgreSQL, but its driver is not installed.",
            remedy="Run `pip install '.[postgres]'` in the checkout.",
        )
    from understudy.registry.database.dialects.postgres import build_postgres_engine  # loads the driver

    return build_postgres_engine(
        url, connections=settings.database_connections, seconds=settings.database_seconds, read_only=read_only
    )


def _build_embedded_engine(url: URL, settings: Settings, threads: ConnectionThreads, *, read_only: bool) -> AsyncEngine:
    if read_only:
        if not Path(url.database or "").is_file():
            raise DatabaseMissing(f"There is no database at {url.database}.")
    elif settings.database_url is None:
        try:
            settings.var_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailable(
                f"The folder {settings.var_dir} cannot be created: {error.strerror}.",
                remedy="Make it writable for the user that runs Understudy, or set UNDERSTUDY_HOME.",
            ) from error
    refuse_foreign_log(Path(url.database or ""))
    refuse_emptied(Path(url.database or ""), settings.compiled_dir)
    return build_sqlite_engine(
        url,
        threads,
        connections=settings.database_connections,
        seconds=settings.database_seconds,
        read_only=read_only,
    )


@contextmanager
def translate_database_errors(engine: AsyncEngine) -> Iterator[None]:
    """Raise a typed error for what the database answered.

    DatabaseUnavailable for an outage, a full disk or a damaged file, DatabaseBusy for a lock or a connection that did
    not become free, DatabaseNotReady for missing or other tables, DatabaseDenied for a missing right, RowRefused for a
    constraint or a trigger, Misconfigured for an option that the driver does not know. A fault in a statement of ours
    stays as it is.
    """
    try:
        yield
    except DBAPIError as error:
        translated = _translate(error, engine.url)
        if translated is None:
            raise
        raise translated from error
    except PoolTimeout as error:
        raise DatabaseBusy(f"No connection to {format_address(engine.url)} became free.") from error


def _translate(error: DBAPIError, url: URL) -> UnderstudyError | None:
    address = format_address(url)
    reason = str(error.orig).strip().partition("\n")[0]
    if "invalid connection option" in reason:
        return Misconfigured(f"DATABASE_URL: {reason}.", remedy="Remove that option from the address.")
    return translate_statement_error(error, url, address) or translate_failure(error, address)
