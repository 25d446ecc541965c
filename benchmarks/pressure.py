"""A route under repeated load, as figures."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.load import Body, fire
from benchmarks.results import Measured, combined
from benchmarks.server import Server

RATE, P50, P99, LONGEST = "rate", "p50", "p99", "longest"
WARM_SECONDS = 2.0
SERVER_CPU, WRK_CPU = "server CPU", "wrk CPU"
UNITS = {RATE: "1/s", P50: "ms", P99: "ms", LONGEST: "ms", SERVER_CPU: "cores", WRK_CPU: "cores"}


def press(
    server: Server,
    path: str,
    body: Body,
    scratch: Path,
    *,
    connections: int,
    seconds: float,
    repeats: int,
    rate: float | None = None,
    warm: bool = False,
) -> Measured:
    """The figures of `repeats` runs of wrk, and what was wrong with one of them.

    A run begins when the server has computed what the run before it left. With `warm` some seconds of the same load
    come first: a system may have taken memory from a server that waited. Raises LoadError and ServerError.
    """
    runs: list[dict[str, float]] = []
    problems: list[str] = []
    for _ in range(repeats):
        if warm:
            server.settle()
            fire(server.url + path, body, scratch, connections=connections, seconds=WARM_SECONDS, rate=rate)
        server.settle()
        before = server.cpu_seconds()
        load = fire(server.url + path, body, scratch, connections=connections, seconds=seconds, rate=rate)
        cpu = (server.cpu_seconds() - before) / load.seconds
        measured = (load.rate, load.p50, load.p99, load.longest, cpu, load.cpu)
        runs.append(dict(zip(UNITS, measured, strict=True)))
        problems += [load.problem] if load.problem else []
    return combined(runs, UNITS), joined(problems)


def joined(problems: Sequence[str]) -> str | None:
    return "; ".join(problems) or None
