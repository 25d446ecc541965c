"""Measures what a PostgreSQL server and its pooler do: CPU time, memory, statements, connections, sizes of tables."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

_TABLES = ("understudy_replicas", "understudy_history")
_STATEMENTS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"
_TRANSACTIONS = "SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database"
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


@dataclass(frozen=True)
class Reading:
    """Counters at one moment. CPU times are in seconds, memory in bytes."""

    at: float
    statements: int
    transactions: int
    connections: int
    server_cpu: float
    pooler_cpu: float


@dataclass(frozen=True)
class Rates:
    """The rates per second between two readings. CPU is in cores."""

    statements: float
    transactions: float
    server_cpu: float
    pooler_cpu: float


@dataclass(frozen=True)
class TableState:
    """Rows that are there and that were replaced and not cleaned up yet, and the size on disk in bytes."""

    rows: int
    dead_rows: int
    size: int


class PostgresLoad:
    """Reads the counters of one server."""

    def __init__(self, address: str, server: int, pooler: int | None) -> None:
        """`server` and `pooler` are process ids, `address` is the server's without the pooler."""
        self._connection: psycopg.Connection[Any] = psycopg.connect(address, autocommit=True)
        self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._server = psutil.Process(server)
        self._pooler = psutil.Process(pooler) if pooler is not None else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def read(self) -> Reading:
        """Return the counters of this moment."""
        return Reading(
            time.monotonic(),
            int(self._ask(_STATEMENTS)),
            int(self._ask(_TRANSACTIONS)),
            int(self._ask(_CONNECTIONS)) - 1,  # this one
            self._measure_server(),
            _get_cpu(self._pooler) if self._pooler else 0.0,
        )

    def count_calls(self) -> dict[str, int]:
        """Return how often each statement ran, by its text."""
        found = self._connection.execute("SELECT query, calls FROM pg_stat_statements").fetchall()
        calls: dict[str, int] = {}
        for query, count in found:
            calls[query] = calls.get(query, 0) + count
        return calls

    def measure_memory(self) -> int:
        """Return the proportional memory of the server's processes in bytes."""
        return sum(_get_memory(each) for each in (self._server, *self._server.children(recursive=True)))

    def describe_tables(self) -> dict[str, TableState]:
        """Return the state of the tables that grow with servers and switches."""
        self._connection.execute("SELECT pg_stat_force_next_flush()")
        states = {}
        for table in _TABLES:
            rows = self._ask(f"SELECT count(*) FROM {table}")  # noqa: S608
            dead = self._ask(f"SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = '{table}'")  # noqa: S608
            size = self._ask(f"SELECT pg_total_relation_size('{table}')")
            states[table] = TableState(int(rows), int(dead), int(size))
        return states

    def count_failed(self) -> int:
        """Return how many servers report a load that failed."""
        return int(self._ask("SELECT count(*) FROM understudy_replicas WHERE state = 'failed'"))

    def read_lags(self, generation: int) -> list[float]:
        """Return the seconds from the commit of a generation until each server served it, as they reported it."""
        query = "SELECT lag_seconds FROM understudy_replicas WHERE generation = %s AND lag_seconds IS NOT NULL"
        return [float(lag) for (lag,) in self._connection.execute(query, (generation,)).fetchall()]

    def _ask(self, query: str) -> Any:
        row = self._connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def _measure_server(self) -> float:
        """Return the CPU time of the server with its ended and running processes."""
        times = self._server.cpu_times()
        ended = times.children_user + times.children_system
        return times.user + times.system + ended + sum(map(_get_cpu, self._server.children(recursive=True)))


def compute_rates(before: Reading, after: Reading) -> Rates:
    """Return what happened each second."""
    seconds = after.at - before.at
    return Rates(
        (after.statements - before.statements) / seconds,
        (after.transactions - before.transactions) / seconds,
        (after.server_cpu - before.server_cpu) / seconds,
        (after.pooler_cpu - before.pooler_cpu) / seconds,
    )


def _get_cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _get_memory(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_full_info().pss)
    return 0
