"""The connection to PostgreSQL goes silent, is cut, is slow or loses answers, and comes back; PgBouncer stops."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import make_url

from scripts.torture.plan import Plan, Timer
from scripts.torture.report import FamilyReport
from scripts.torture.server import Client, find_misattribution, run_server, write_models
from tests.faults import TcpProxy
from tests.pgbouncer import PORT as POOLER_PORT
from tests.pgbouncer import PgBouncerMissing, run_pgbouncer
from tests.postgres import PostgresServer, create_database, find_unprivileged_user, run_postgres

_DATABASE_SECONDS = 1.0
_LONGEST = 8.0
"""Seconds in which every change must be answered, whatever the database does."""
_LONGEST_PREDICTION = 5.0


def run(plan: Plan) -> FamilyReport:
    """Each answer under an outage, and each recovery, is an attempt. Raises PostgresMissing."""
    report = FamilyReport("outages of PostgreSQL", "answers")
    with run_postgres() as postgres:
        _run(plan, report, plan.make_home("outages"), postgres)
    return report


def run_behind_pooler(plan: Plan) -> FamilyReport:
    """The same through PgBouncer in transaction mode, which also stands still. Raises PostgresMissing."""
    report = FamilyReport("outages behind PgBouncer", "answers")
    try:
        with (
            run_postgres() as postgres,
            run_pgbouncer(postgres.socket_folder, user=find_unprivileged_user()) as pooler,
        ):
            _run(plan, report, plan.make_home("outages-pooler"), replace(postgres, port=POOLER_PORT), pooler.pid)
    except PgBouncerMissing as missing:
        report.skipped = f"{missing}."
    return report


def _run(plan: Plan, report: FamilyReport, home: Path, postgres: PostgresServer, pooler: int | None = None) -> None:
    write_models(home)
    with (
        create_database(postgres) as url,
        TcpProxy(str(postgres.socket)) as proxy,
        run_server(
            home,
            DATABASE_URL=f"postgresql://postgres@127.0.0.1:{proxy.port}/{make_url(url).database}",
            UNDERSTUDY_DATABASE_SECONDS=str(_DATABASE_SECONDS),
        ) as server,
    ):
        outages = _Outages(proxy, report, pooler)
        asyncio.run(outages.run(server.url, plan.choose(1, 40), plan.start_timer(8)))


@dataclass
class _Outages:
    proxy: TcpProxy
    report: FamilyReport
    pooler: int | None = None
    """Process id of the pooler between server and database."""
    changed: int = 0

    async def run(self, url: str, rounds: int, timer: Timer) -> None:
        """Let each kind of outage happen in turn."""
        async with Client(url, self.report) as client:
            labels = await client.set_up()
            kinds: dict[str, Callable[[], None]] = {
                "silent": self.proxy.silence,
                "cut": self.proxy.cut,
                "slow": self._slow_down,
                "lost answer": lambda: self.proxy.lose_answer(b"COMMIT\0"),
            }
            if self.pooler is not None:
                kinds["a pooler that stands still"] = lambda: self._signal_pooler(signal.SIGSTOP)
            for _ in range(rounds):
                for kind, begin in kinds.items():
                    begin()
                    await self._ask_under(kind, client, labels)
                    self.proxy.resume()
                    self._signal_pooler(signal.SIGCONT)
                    self.proxy.delay = 0.0
                    await self._await_recovery(kind, client)
                if timer.is_over:
                    return

    def _signal_pooler(self, number: signal.Signals) -> None:
        if self.pooler is not None:
            os.kill(self.pooler, number)

    def _slow_down(self) -> None:
        self.proxy.delay = 0.05

    async def _ask_under(self, kind: str, client: Client, labels: dict[int, str]) -> None:
        """Send changes and predictions at once."""
        self.changed += 1
        first, *others = sorted(labels)
        changes: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", "/api/v1/models", {}),
            ("PATCH", f"/api/v1/models/{others[0]}", {"json": {"description": f"change {self.changed}"}}),
            ("POST", f"/api/v1/models/{others[self.changed % len(others)]}/activate", {"params": {"wait": "true"}}),
            ("POST", f"/api/v1/models/{first}/activate", {"params": {"wait": "true"}}),
        ]
        async with asyncio.TaskGroup() as group:
            for method, path, content in changes:
                group.create_task(self._change(kind, client, method, path, content))
            for _ in range(3):
                group.create_task(self._predict(kind, client, labels))

    async def _change(self, kind: str, client: Client, method: str, path: str, content: dict[str, Any]) -> None:
        began = time.monotonic()
        answer = await client.send(method, path, **content)
        seconds = time.monotonic() - began
        held = answer.is_success or answer.status_code in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT)
        self.report.check(
            held, f"while the database is {kind}, {method} {path} answered {answer.status_code} {answer.text[:200]}"
        )
        self.report.check(
            seconds <= _LONGEST, f"while the database is {kind}, {method} {path} was answered after {seconds:.1f} s"
        )

    async def _predict(self, kind: str, client: Client, labels: dict[int, str]) -> None:
        for _ in range(5):
            began = time.monotonic()
            answer = await client.predict()
            seconds = time.monotonic() - began
            wrong = find_misattribution(answer.json(), labels) if answer.is_success else answer.text[:200]
            self.report.check(wrong is None, f"while the database is {kind}, a prediction: {wrong}")
            self.report.check(
                seconds <= _LONGEST_PREDICTION, f"while the database is {kind}, a prediction took {seconds:.1f} s"
            )

    async def _await_recovery(self, kind: str, client: Client) -> None:
        began = time.monotonic()
        held = await client.await_ready() and await client.await_sync()
        self.report.check(held, f"after the database was {kind} the server does not recover")
        self.report.measure(seconds=time.monotonic() - began)
        with suppress(httpx.HTTPStatusError):
            active = [each["model_id"] for each in await client.list_models() if each["is_active"]]
            served = (await client.predict()).raise_for_status().json()["model"]["model_id"]
            self.report.check(
                active == [served], f"after the database was {kind}, model {served} answers and {active} are active"
            )
