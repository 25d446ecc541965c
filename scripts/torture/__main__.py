"""Tortures servers and decoders, and prints one table of what held.

    PYTHONPATH=backend:. python -m scripts.torture --short

The exit status is 1 where something was violated.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from scripts.torture import crashes, full_disk, hostile, interface, kills, outages, races, recordings, soak
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport, format_table
from tests.postgres import PostgresMissing

FAMILIES: dict[str, Callable[[Plan], FamilyReport]] = {
    "kills": kills.run,
    "crashes-sqlite": crashes.run_on_sqlite,
    "crashes-postgresql": crashes.run_on_postgresql,
    "races-sqlite": races.run_on_sqlite,
    "races-postgresql": races.run_on_postgresql,
    "outages": outages.run,
    "outages-pooler": outages.run_behind_pooler,
    "full-disk": full_disk.run,
    "hostile": hostile.run,
    "recordings": recordings.run,
    "interface": interface.run,
    "soak": soak.run,
}


def run_family(name: str, plan: Plan) -> FamilyReport:
    """Run one family; what it lacks on this machine stands in the report."""
    try:
        report = FAMILIES[name](plan)
    except PostgresMissing as missing:
        return FamilyReport(name, "", skipped=f"{missing}.")
    if report.skipped is None and report.attempts == 0:
        report.check(False, "nothing was tried")
    return report


def _run_and_report(name: str, plan: Plan) -> FamilyReport:
    began = time.monotonic()
    report = run_family(name, plan)
    print(f"{name}: {report.violated} violated, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return report


def _stop(_number: int, _frame: object) -> None:
    """End at once, with every server and database that a family has started."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(128 + signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.torture", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(FAMILIES), default=list(FAMILIES), metavar="FAMILY")
    parser.add_argument("--short", action="store_true", help="small counts, about a minute in all")
    parser.add_argument("--minutes", type=float, default=10.0, help="longest time of one family; the soak takes all")
    parser.add_argument("--jobs", type=int, default=1, help="families at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="write the table to this file too")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    with (
        TemporaryDirectory(prefix="understudy-torture-", ignore_cleanup_errors=True) as folder,
        ThreadPoolExecutor(given.jobs) as pool,
    ):
        plan = Plan(Path(folder), given.short, given.minutes, given.seed)
        reports = list(pool.map(lambda name: _run_and_report(name, plan), given.only))
    table = format_table(reports)
    print(table)
    if given.output is not None:
        given.output.write_text(table)
    return 1 if any(report.violated for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
