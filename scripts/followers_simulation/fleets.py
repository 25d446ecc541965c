"""Starts the processes of the simulation and asks them how their followers are."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_END_SECONDS = 60


@dataclass(frozen=True)
class Plan:
    """Holds the number of followers, and their way to follow. Times are in seconds.

    Without `listen` they reach the database through PgBouncer, where LISTEN hears nothing. With `accounts` each also
    looks for changes of accounts, two and a half times a second.
    """

    followers: int
    processes: int
    poll_seconds: float
    load_seconds: float
    listen: bool
    accounts: bool

    @property
    def start_seconds(self) -> float:
        """The time over which the followers start: twenty each second."""
        return self.followers / 20


@dataclass(frozen=True)
class FleetState:
    """The followers of all processes, added up; `oldest_seconds` is the longest time since one read the registry.

    `reason` is why one of those in an outage does not read it.
    """

    started: int
    in_sync: int
    outages: int
    failed: int
    oldest_seconds: float
    cpu_seconds: float
    reason: str


class Fleets:
    """The running processes."""

    def __init__(self, processes: "Sequence[subprocess.Popen[str]]") -> None:
        self._processes = processes

    def read_state(self) -> FleetState:
        """Ask every process."""
        self.send("state")
        states = []
        for process in self._processes:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError(f"a process of the simulation ended with {process.wait()}")
            states.append(json.loads(line))
        reasons = [state.pop("reason") for state in states]
        total = {name: sum(state[name] for state in states) for name in states[0]}
        oldest = max(state["oldest_seconds"] for state in states)
        return FleetState(**{**total, "oldest_seconds": oldest, "reason": next(filter(None, reasons), "")})

    def send(self, word: str) -> None:
        """Send one word to every process: `state`, `fail` or `load`."""
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.write(f"{word}\n")
                process.stdin.flush()


@contextmanager
def run_fleets(plan: Plan, address: str, home: Path) -> Iterator[Fleets]:
    """Run the followers in `plan.processes` processes."""
    processes: list[subprocess.Popen[str]] = []
    try:
        for number in range(plan.processes):
            first = plan.followers * number // plan.processes
            count = plan.followers * (number + 1) // plan.processes - first
            command = [sys.executable, "-m", "scripts.followers_simulation.fleet", "--address", address]
            command += ["--home", str(home), "--first", str(first), "--count", str(count)]
            command += ["--poll-seconds", str(plan.poll_seconds), "--load-seconds", str(plan.load_seconds)]
            command += ["--start-seconds", str(plan.start_seconds), *(["--accounts"] if plan.accounts else [])]
            processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        yield Fleets(processes)
    finally:
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
        for process in processes:
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
