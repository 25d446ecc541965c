"""The two databases that servers are tortured on, and a look at them past everything of Understudy's."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.postgres import create_database, run_postgres

_ACTIVE = "SELECT count(*) FROM ml_models WHERE is_active"


@contextmanager
def open_database(kind: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a server on `sqlite` or `postgresql`. Raises PostgresMissing."""
    if kind == "sqlite":
        yield {}
        return
    with run_postgres() as server, create_database(server) as url:
        yield {"DATABASE_URL": url}


def count_active(home: Path, environment: Mapping[str, str]) -> int:
    """Return how many rows are active."""
    if (url := environment.get("DATABASE_URL")) is None:
        file = f"file:{home / 'var' / 'understudy.db'}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=10)) as connection:
            [count] = connection.execute(_ACTIVE).fetchone()
    else:
        with psycopg.connect(url) as postgres:
            [count] = postgres.execute(_ACTIVE).fetchone() or (0,)
    return int(count)
