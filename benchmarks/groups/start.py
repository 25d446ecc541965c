"""From the start of a process to the first answer, and the memory it takes."""

import time
from collections.abc import Iterator

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.exchange import exchange
from benchmarks.results import Result, combined
from benchmarks.server import ServerError
from benchmarks.subject import Subject

GROUP = "start"
TITLE = "Start and memory"
ABOUT = """\
From the start of the process to the first 200 of its readiness route and to its first answer; what is compiled or
saved is there already. RSS adds up the processes of the server and counts shared pages once a process, PSS counts them
once."""
READY, FIRST, IDLE, IDLE_SHARED, LOADED, LOADED_SHARED = (
    "ready",
    "first answer",
    "RSS when ready",
    "PSS when ready",
    "RSS after load",
    "PSS after load",
)
_UNITS = {READY: "s", FIRST: "s", IDLE: "MB", IDLE_SHARED: "MB", LOADED: "MB", LOADED_SHARED: "MB"}


def measure(bench: Bench) -> Iterator[Result]:
    """Every subject, each time from a fresh process; what is compiled or saved is there already."""
    for subject in bench.chosen():
        try:
            runs = [_once(bench, subject) for _ in range(1 if bench.quick else 3)]
        except ServerError as error:
            yield Result(GROUP, "start", subject.name, problem=str(error))
        else:
            yield Result(GROUP, "start", subject.name, combined(runs, _UNITS))


def _once(bench: Bench, subject: Subject) -> dict[str, float]:
    clip = bench.site.clip(1, "wav 16 kHz")
    route = subject.hearing
    body = route.wrap(clip.read(), clip.kind.content_type)
    with subject.launch(bench.site) as server:
        idle, idle_shared = server.memory()
        asked = time.perf_counter()
        exchange(server, route.path, body)
        took = time.perf_counter() - asked
        pressure.press(server, route.path, body, bench.work, connections=8, seconds=2, repeats=1)
        loaded, loaded_shared = server.memory()
    return {
        READY: server.ready_seconds,
        FIRST: server.ready_seconds + took,
        IDLE: idle,
        IDLE_SHARED: idle_shared,
        LOADED: loaded,
        LOADED_SHARED: loaded_shared,
    }
