"""`python -m benchmarks`: measure and write the page, or write it again from its JSON."""

import argparse
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from benchmarks.groups import GROUPS
from benchmarks.load import LoadError, find_wrk
from benchmarks.paths import ROOT
from benchmarks.report import JSON_NAME, write_report
from benchmarks.results import Run
from benchmarks.subjects import PEERS, UNDERSTUDY
from benchmarks.suite import run_suite

PUBLISHED = ROOT / "docs" / "benchmarks"
PARTIAL = ROOT / "benchmarks" / ".results"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 where wrk is missing."""
    asked = _parser().parse_args(arguments)
    if asked.render:
        print(write_report(Run.load(asked.render), asked.render.parent))
        return 0
    whole = not (asked.quick or asked.only or asked.peers is not None)
    folder = asked.out or (PUBLISHED if whole else PARTIAL)
    folder.mkdir(parents=True, exist_ok=True)
    groups = asked.only or list(GROUPS)
    subjects = [UNDERSTUDY, *(PEERS if asked.peers is None else asked.peers)]
    seconds = asked.seconds or (1 if asked.quick else 4)
    repeats = asked.repeats or (2 if asked.quick else 3)
    try:
        find_wrk()
        # Written after each group, so that a run that is ended early leaves what it has measured.
        for run in run_suite(groups, subjects, quick=asked.quick, seconds=seconds, repeats=repeats):
            print(write_report(run, folder))
    except LoadError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Understudy beside its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer cases, shorter")
    parser.add_argument("--only", type=_names(GROUPS), metavar="GROUPS", help=",".join(GROUPS))
    parser.add_argument("--peers", type=_names(PEERS), metavar="PEERS", help=f"{','.join(PEERS)}; empty for none")
    parser.add_argument("--seconds", type=int, help="length of one measurement")
    parser.add_argument("--repeats", type=int, help="how often each is made")
    parser.add_argument("--out", type=Path, help="folder of the page")
    parser.add_argument("--render", type=Path, metavar=JSON_NAME, help="write the page of an earlier run again")
    return parser


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    """A comma-separated list of known names."""

    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    sys.exit(main())
