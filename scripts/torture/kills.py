"""Worker processes are killed at random under load, while two models take turns."""

import asyncio
import os
import random
import signal
from collections.abc import Mapping

from scripts.torture.footprint import compare_footprints, measure_footprint
from scripts.torture.load import Load
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport
from scripts.torture.server import Client, Server, run_server, write_models


def run(plan: Plan) -> FamilyReport:
    """Each answer is an attempt: it names the right model, or is a typed error; readiness stays."""
    report = FamilyReport("kills of workers", "answers")
    home = plan.make_home("kills")
    write_models(home)
    with run_server(home) as server:
        asyncio.run(_torture(plan, server, report))
    return report


async def _torture(plan: Plan, server: Server, report: FamilyReport) -> None:
    random_ = plan.make_random("kills")
    kills, most = 0, plan.choose(10, 500)
    async with Client(server.url, report) as client:
        labels = await client.set_up()
        await warm_up(client, server, labels, 0.5)
        before = measure_footprint(server)
        timer = plan.start_timer(3)
        async with Load(server.url, labels, report).run(clients=4 if plan.short else 6):
            while kills < most and not timer.is_over:
                kills += await kill_worker(client, random_)
                await asyncio.sleep(random_.uniform(0.0, 0.4))
        await await_workers(client)
        compare_footprints(report, before, measure_footprint(server))
    tracebacks = server.find_tracebacks()
    report.check(not tracebacks, f"the server logged a traceback: {tracebacks[:1]}")
    report.check(kills > 0, "no worker could be killed")
    report.notes.append(f"{kills} kills.")


async def warm_up(client: Client, server: Server, labels: Mapping[int, str], seconds: float) -> None:
    """Fill the caches, so that what grows later is a leak."""
    async with Load(server.url, labels, FamilyReport("warm-up", "answers")).run(clients=4, streams=1):
        await asyncio.sleep(seconds)
    await await_workers(client)


async def kill_worker(client: Client, random_: random.Random) -> bool:
    """Kill one worker that is ready; return False where none is."""
    ready = [each for each in (await client.read("/api/v1/status"))["workers"] if each["state"] == "ready"]
    if not ready:
        return False
    try:
        os.kill(random_.choice(ready)["pid"], signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


async def await_workers(client: Client) -> None:
    """Wait until every worker is ready."""
    for _ in range(600):
        if all(each["state"] == "ready" for each in (await client.read("/api/v1/status"))["workers"]):
            return
        await asyncio.sleep(0.05)
