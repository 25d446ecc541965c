"""Lets a thousand simulated servers follow one PostgreSQL, and prints what that costs.

    PYTHONPATH=backend:. python -m scripts.followers_simulation --followers 1000

Needs PostgreSQL's server and, for polling, PgBouncer (Debian: apt-get install postgresql pgbouncer).
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.postgres import binaries, postgres
from scripts.followers_simulation.fleets import Fleets, FleetState, Plan, run_fleets
from scripts.followers_simulation.measurement import Measurement, measure
from scripts.followers_simulation.postgres_load import PostgresLoad
from scripts.followers_simulation.report import format_measurement
from scripts.followers_simulation.switches import open_switcher
from tests.pgbouncer import PORT, run_pgbouncer
from tests.postgres import find_unprivileged_user

_START_SECONDS = 300.0
# Of the server behind the pooler.
_POOL = 40


@dataclass(frozen=True)
class Place:
    """The addresses of the database, the process of the server and that of the pooler."""

    direct: str
    followers: str
    server: int
    pooler: int | None


@contextmanager
def open_place(plan: Plan) -> Iterator[Place]:
    """Run PostgreSQL, and PgBouncer where the followers only poll."""
    folder = binaries()
    if folder is None:
        sys.exit("PostgreSQL is not installed.")
    settings = {"shared_preload_libraries": "pg_stat_statements"}
    # Each server has one that listens, or tries to, and one of its pool at rest; up to two more while it is slow.
    clients = 4 * plan.followers + 50
    settings["max_connections"] = str(clients if plan.listen else _POOL + 50)
    with postgres(folder, **settings) as direct:
        sockets = Path(direct.partition("host=")[2])
        server = int((sockets / "data" / "postmaster.pid").read_text().split()[0])
        if plan.listen:
            yield Place(direct, direct, server, None)
            return
        with run_pgbouncer(sockets, user=find_unprivileged_user(), pool=_POOL, clients=clients) as pooler:
            yield Place(direct, f"{direct}&port={PORT}", server, pooler.pid)


def run(plan: Plan, options: argparse.Namespace) -> Measurement:
    """Measure one way to follow."""
    with TemporaryDirectory() as folder, open_place(plan) as place:
        home = Path(folder)
        (home / "models").mkdir()
        load = PostgresLoad(place.direct, place.server, place.pooler)
        try:
            return asyncio.run(_run(plan, options, place, home, load))
        finally:
            load.close()


async def _run(plan: Plan, options: argparse.Namespace, place: Place, home: Path, load: PostgresLoad) -> Measurement:
    async with open_switcher(place.direct, home) as switcher:
        await switcher.switch()
        with run_fleets(plan, place.followers, home) as fleets:
            state = wait_until_started(plan, fleets)
            print(f"{state.started} followers run", file=sys.stderr, flush=True)
            return await measure(plan, fleets, load, switcher, options.rest_seconds, options.switches)


def wait_until_started(plan: Plan, fleets: Fleets) -> FleetState:
    """Wait until every follower serves the first model. Exits where that takes too long."""
    deadline = time.monotonic() + plan.start_seconds + _START_SECONDS
    while (state := fleets.read_state()).in_sync < plan.followers:
        if time.monotonic() > deadline:
            sys.exit(f"not every follower started: {state}")

        time.sleep(2)
    return state


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2, help="processes that run the followers")
    parser.add_argument("--poll-seconds", type=float, default=5.0, help="UNDERSTUDY_POLL_SECONDS of each follower")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="what loading a model takes")
    parser.add_argument("--rest-seconds", type=float, default=60.0, help="how long the fleet is measured at rest")
    parser.add_argument("--switches", type=int, default=20)
    parser.add_argument(
        "--accounts", action="store_true", help="each also looks for changed accounts: needs ten cores for a thousand"
    )
    parser.add_argument("--only", choices=("listen", "poll"), help="one of the two ways to follow")
    return parser.parse_args(arguments)


def main() -> int:
    """Measure LISTEN and polling, and print both."""
    options = parse_options()
    for way in ("listen", "poll") if options.only is None else (options.only,):
        plan = Plan(
            options.followers,
            options.processes,
            options.poll_seconds,
            options.load_seconds,
            listen=way == "listen",
            accounts=options.accounts,
        )
        print(format_measurement(plan, run(plan, options)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
