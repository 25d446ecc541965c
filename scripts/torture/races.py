"""Two servers on one registry and the command line activate, rename and delete at once."""

import asyncio
import json
import random
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from scripts.torture.databases import count_active, open_database
from scripts.torture.plan import Plan, Timer
from scripts.torture.report import FamilyReport
from scripts.torture.server import LABELS, Client, find_misattribution, run_server, write_models
from tests.serve_process import build_environment

_REFUSALS = frozenset(
    {"model_not_found", "model_is_active", "name_taken", "conflict", "nothing_to_roll_back", "file_changed"}
)
"""The codes of refusals of a change because another one was faster."""


def run_on_sqlite(plan: Plan) -> FamilyReport:
    """Each answer and each sample of the active rows is an attempt."""
    return _run(plan, "sqlite", "races on SQLite")


def run_on_postgresql(plan: Plan) -> FamilyReport:
    """Each answer and each sample of the active rows is an attempt. Raises PostgresMissing."""
    return _run(plan, "postgresql", "races on PostgreSQL")


def _run(plan: Plan, kind: str, family: str) -> FamilyReport:
    report = FamilyReport(family, "answers and samples")
    with open_database(kind) as environment:
        home = plan.make_home(f"races-{kind}")
        write_models(home)
        with run_server(home, **environment) as first, run_server(home, **environment) as second:
            race = _Race(home, environment, report, plan.make_random(family))
            asyncio.run(race.run([first.url, second.url], plan))
            for server in (first, second):
                tracebacks = server.find_tracebacks()
                report.check(not tracebacks, f"a server logged a traceback: {tracebacks[:1]}")
    return report


class _Race:
    def __init__(
        self, home: Path, environment: Mapping[str, str], report: FamilyReport, random_: random.Random
    ) -> None:
        self._home = home
        self._environment = environment
        self._report = report
        self._random = random_
        self._labels: dict[int, str] = {}
        self._answers: list[Mapping[str, object]] = []

    async def run(self, urls: list[str], plan: Plan) -> None:
        """Race, then compare what both servers serve with the registry."""
        async with Client(urls[0], self._report) as first, Client(urls[1], self._report) as second:
            self._labels |= await first.set_up()
            for client in (first, second):
                self._report.check(await client.await_sync(), "a server does not follow the first activation")
            timer = plan.start_timer(2.5)
            async with asyncio.TaskGroup() as group:
                for client in (first, second):
                    for _ in range(2):
                        group.create_task(self._change(client, timer))
                    group.create_task(self._predict(client, timer))
                group.create_task(self._run_commands(timer))
                group.create_task(self._sample(timer))
            for answer in self._answers:  # by now the labels of all models are known
                wrong = find_misattribution(answer, self._labels)
                self._report.check(wrong is None, wrong or "")
            for client in (first, second):
                await self._compare(client)

    async def _change(self, client: Client, timer: Timer) -> None:
        while not timer.is_over:
            kind = self._random.choice(("activate",) * 4 + ("rename", "delete", "register", "rollback"))
            model_id = self._random.choice(sorted(self._labels))
            if kind == "activate":
                answer = await client.activate(model_id)
            elif kind == "rename":
                name = f"name-{self._random.randrange(3)}"
                answer = await client.send("PATCH", f"/api/v1/models/{model_id}", json={"model_name": name})
            elif kind == "delete":
                answer = await client.send("DELETE", f"/api/v1/models/{model_id}")
            elif kind == "rollback":
                answer = await client.send("POST", "/api/v1/models/rollback", params={"wait": "true"})
            else:
                label = self._random.choice(LABELS)
                answer = await client.register(f"more-{self._random.randrange(1000)}", f"{label}.onnx")
                if answer.is_success:
                    self._labels[answer.json()["model_id"]] = label
            code = "" if answer.is_success else answer.json().get("code", "none")
            self._report.check(
                answer.is_success or code in _REFUSALS, f"{kind} was answered {answer.status_code} {answer.text[:200]}"
            )

    async def _predict(self, client: Client, timer: Timer) -> None:
        while not timer.is_over:
            answer = await client.predict()
            if answer.is_success:
                self._answers.append(answer.json())
            else:
                self._report.check(False, f"a prediction was answered {answer.status_code} {answer.text[:200]}")

    async def _sample(self, timer: Timer) -> None:
        """Count the active rows past everything of Understudy's."""
        while not timer.is_over:
            active = await asyncio.to_thread(count_active, self._home, self._environment)
            self._report.check(active == 1, f"{active} rows were active at once")
            await asyncio.sleep(0.02)

    async def _run_commands(self, timer: Timer) -> None:
        while not timer.is_over:
            model_id = str(self._random.choice(sorted(self._labels)))
            command = self._random.choice((["activate", model_id], ["delete", model_id], ["rollback"]))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "understudy.cli", *command, "--json"),
                env=build_environment(self._home) | dict(self._environment),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, errors = await process.communicate()
            code = "none"
            for text in (output, errors):
                with suppress(ValueError, AttributeError):
                    code = json.loads(text).get("code", code)
            self._report.check(
                process.returncode == 0 or code in _REFUSALS,
                f"`understudy {' '.join(command)}` ended with {process.returncode}: {(output + errors)[-300:]!r}",
            )

    async def _compare(self, client: Client) -> None:
        """Check that a server serves the active row."""
        self._report.check(await client.await_sync(), "a server does not come to serve what the registry says")
        active = [each["model_id"] for each in await client.list_models() if each["is_active"]]
        answer = (await client.predict()).raise_for_status().json()
        served = answer["model"]["model_id"]
        self._report.check(active == [served], f"model {served} answers, and the active rows are {active}")
        wrong = find_misattribution(answer, self._labels)
        self._report.check(wrong is None, wrong or "")
