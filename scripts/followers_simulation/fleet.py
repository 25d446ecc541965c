"""One process of the simulation: many followers on one event loop.

Standard input: `fail` lets every load fail from now on, `load` lets it work again, the end of the input ends the
process. Standard output: one line of JSON each time that it is asked `state`.
"""

import argparse
import asyncio
import json
import logging
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from scripts.followers_simulation.follower import Follower, Load


async def run_fleet(options: argparse.Namespace) -> None:
    """Run the followers until standard input ends."""
    load = Load(options.load_seconds)
    followers = [
        Follower(options.first + number, options.address, options.home, options.poll_seconds, load)
        for number in range(options.count)
    ]
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_start(each, options)) for each in followers]
        while line := (await reader.readline()).decode().strip():
            if line == "state":
                _print_state(followers)
            else:
                load.fails = line == "fail"
        for task in tasks:
            task.cancel()


async def _start(follower: Follower, options: argparse.Namespace) -> None:
    """Start at a moment of its own: servers of a fleet start one after the other."""
    await asyncio.sleep(random.uniform(0, options.start_seconds))  # noqa: S311
    await follower.run(accounts=options.accounts)


def _print_state(followers: Sequence[Follower]) -> None:
    reconcilers = [each.reconciler for each in followers]
    ages = [each.registry_age_seconds for each in reconcilers if each.registry_age_seconds is not None]
    state = {
        "started": len(ages),
        "in_sync": sum(each.in_sync for each in reconcilers),
        "outages": sum(each.outage is not None for each in reconcilers),
        "failed": sum(each.problem is not None for each in reconcilers),
        "oldest_seconds": max(ages, default=0.0),
        "cpu_seconds": time.process_time(),
        "reason": next((each.outage.detail for each in reconcilers if each.outage is not None), ""),
    }
    print(json.dumps(state), flush=True)


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--poll-seconds", type=float, required=True)
    parser.add_argument("--load-seconds", type=float, required=True)
    parser.add_argument("--start-seconds", type=float, required=True)
    parser.add_argument("--accounts", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(run_fleet(parse_options()))
