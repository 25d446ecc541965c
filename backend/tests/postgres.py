"""A real PostgreSQL for tests, from the server binaries of the distribution; a pytest plugin.

One server a test process, on a socket of its own in a private folder; one fresh database a test. With
UNDERSTUDY_TEST_POOLER in the environment the tests reach it through PgBouncer in transaction mode.
"""

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tests.faults import TcpProxy
from tests.pgbouncer import PORT as POOLER_PORT
from tests.pgbouncer import PgBouncerMissing, run_pgbouncer
from tests.tables import create_tables
from understudy.settings import Settings

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
_UNPRIVILEGED = ("postgres", "nobody")
_START_SECONDS = 30.0
_PORT = 5432
_POOLED = "UNDERSTUDY_TEST_POOLER" in os.environ


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `port` is that of the pooler where the tests go through one."""

    socket_folder: Path
    port: int = _PORT

    @property
    def socket(self) -> Path:
        return self.socket_folder / f".s.PGSQL.{self.port}"

    def address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket_folder}&port={self.port}"

    def direct_address(self, database: str) -> str:
        """Return the address past the pooler."""
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

    def execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.direct_address("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _binaries() -> Path | None:
    """The folder of the newest server installed here."""
    on_path = shutil.which("postgres")
    found = [Path(on_path).resolve().parent] if on_path else []
    for place in _PLACES:
        folders = Path("/").glob(place.removeprefix("/"))
        found += sorted(
            folders, key=lambda folder: [int(part) for part in folder.parts if part.isdigit()], reverse=True
        )
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def find_unprivileged_user() -> str | None:
    """Whom to run as: PostgreSQL refuses to run as root. None means as the present user."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _UNPRIVILEGED if name in known), _UNPRIVILEGED[0])


class PostgresMissing(RuntimeError):
    """PostgreSQL's server binaries are not installed."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, without durability; skips where the binaries are not installed."""
    try:
        with run_postgres() as server:
            if not _POOLED:
                yield server
                return
            with run_pgbouncer(server.socket_folder, user=find_unprivileged_user()):
                yield replace(server, port=POOLER_PORT)
    except (PostgresMissing, PgBouncerMissing) as missing:
        pytest.skip(str(missing))


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """Run a server without durability; raises PostgresMissing where the binaries are not installed."""
    binaries = _binaries()
    if binaries is None:
        raise PostgresMissing(f"PostgreSQL's server binaries are not installed (looked in PATH, {', '.join(_PLACES)})")
    user = find_unprivileged_user()
    # Not below pytest's own folder: that one is closed to other users, and too long for a socket's name.
    folder = Path(tempfile.mkdtemp(prefix="understudy-pg-"))
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    try:
        subprocess.run(
            [
                *(binaries / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust"),
                *("--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"),
            ],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "60",
        }
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, *(f"--{name}={value}" for name, value in options.items())],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        try:
            running = PostgresServer(folder)
            _wait(running, server)
            yield running
        finally:
            server.send_signal(signal.SIGINT)  # at once, whoever is still connected
            server.wait(timeout=_START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _wait(running: PostgresServer, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(running.address("postgres")).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((running.socket_folder / "log").read_text()) from None
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database that is dropped after the test."""
    with create_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a database with the newest tables and no row, for tests to copy."""
    with create_database(postgres_server) as url:
        name = get_database_name(url)
        # A pooler would keep a connection, and a database in use cannot be copied.
        create_tables(Settings(home=Path("unused"), database_url=postgres_server.direct_address(name)))
        yield name


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer, migrated_template: str) -> Iterator[str]:
    """The address of a database with the newest tables that is dropped after the test."""
    with create_database(postgres_server, migrated_template) as url:
        yield url


@contextmanager
def create_database(server: PostgresServer, template: str = "template1") -> Iterator[str]:
    """Create a copy of the database `template`, yield its address, and drop it."""
    name = f"test_{uuid4().hex}"
    server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield server.address(name)
    finally:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgres_proxy(postgres_server: PostgresServer) -> Iterator[TcpProxy]:
    """A proxy in front of the server, which can fall silent, cut connections and lose answers."""
    with TcpProxy(str(postgres_server.socket)) as proxy:
        yield proxy


@pytest.fixture
def proxied_url(postgres_url: str, postgres_proxy: TcpProxy) -> str:
    """The address of the database of `postgres_url` through the proxy."""
    return f"postgresql://postgres@127.0.0.1:{postgres_proxy.port}/{get_database_name(postgres_url)}"


def get_database_name(address: str) -> str:
    """Return the name of the database in an address."""
    name = make_url(address).database
    assert name is not None
    return name


needs_direct = pytest.mark.skipif(
    _POOLED, reason="a pooler keeps its sessions: LISTEN, new defaults and other roles do not reach them"
)
"""For what cannot go through PgBouncer in transaction mode."""

only_postgresql = pytest.mark.parametrize(
    "database_settings", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
only_sqlite = pytest.mark.parametrize("database_settings", ["sqlite"], indirect=True)
"""For what the other database cannot do or does not need."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of an instance with an empty database, once for each kind."""
    if request.param == "sqlite":
        return settings
    url = "migrated_postgres_url" if "migrated" in request.fixturenames else "postgres_url"
    return Settings(home=settings.home, database_url=request.getfixturevalue(url))


class ByHand(Protocol):
    """Runs statements as a person with the database's own shell would, and returns the rows of the last one."""

    def __call__(self, *statements: str) -> list[tuple[Any, ...]]: ...


@pytest.fixture
def by_hand(database_settings: Settings) -> ByHand:
    """Statements on the database of `database_settings`, past everything of ours."""

    def on_sqlite(*statements: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(database_settings.var_dir / "understudy.db", timeout=30)
        try:
            with connection:
                return [connection.execute(statement).fetchall() for statement in statements][-1]
        finally:
            connection.close()

    def on_postgresql(*statements: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database_settings.database_url or "") as connection:
            cursors = [connection.execute(statement.encode()) for statement in statements]
            return cursors[-1].fetchall() if cursors[-1].description else []

    return on_sqlite if database_settings.database_url is None else on_postgresql
