"""Minutes of predictions, streams, swaps and kills: memory, descriptors and processes stay as they are."""

import asyncio

from scripts.torture.footprint import compare_footprints, measure_footprint
from scripts.torture.kills import await_workers, kill_worker, warm_up
from scripts.torture.load import Load
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport
from scripts.torture.server import Client, Server, run_server, write_models


def run(plan: Plan) -> FamilyReport:
    """Each answer is an attempt, and each figure of the footprint is one."""
    report = FamilyReport("soak", "answers")
    home = plan.make_home("soak")
    write_models(home)
    with run_server(home) as server:
        asyncio.run(_torture(plan, server, report))
    return report


async def _torture(plan: Plan, server: Server, report: FamilyReport) -> None:
    random_ = plan.make_random("soak")
    async with Client(server.url, report) as client:
        labels = await client.set_up()
        await warm_up(client, server, labels, 1 if plan.short else 30)
        before = measure_footprint(server)
        timer = plan.start_timer(3)
        async with Load(server.url, labels, report).run(clients=4, streams=2):
            while not timer.is_over:
                await asyncio.sleep(1)
                report.measure(size=measure_footprint(server).all_bytes)
                if random_.random() < 0.2:
                    await kill_worker(client, random_)
        await await_workers(client)
        compare_footprints(report, before, measure_footprint(server))
    tracebacks = server.find_tracebacks()
    report.check(not tracebacks, f"the server logged a traceback: {tracebacks[:1]}")
