"""Clips over HTTP beside the in-process ceiling, by turns."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.ceiling import Ceiling
from benchmarks.clips import KINDS, SECONDS, ClipFile
from benchmarks.exchange import exchange
from benchmarks.load import Body
from benchmarks.results import Figure, Measured, Result, merge
from benchmarks.server import Server, ServerError
from benchmarks.subject import Subject
from benchmarks.subjects import THREADS, UNDERSTUDY
from benchmarks.wire import Answer

GROUP = "predict"
TITLE = "Clips over HTTP"
ABOUT = """\
The ceiling is the same decoding, features and ONNX files without HTTP, in one process with a thread a core or in one
process a core, whichever is faster. For each clip the ceiling and all servers are measured by turns, and a turn begins
when the server before it has computed what it was sent."""
CEILING = "ceiling"
TOLERANCE = 1e-3
_ANSWERS = 4
_MANY = (8, 32)
_PEERS_HEAR = {(1, "wav 16 kHz"), (5, "wav 44.1 kHz"), (10, "wav 44.1 kHz")}
_QUICK_UNDERSTUDY = {(1, "wav 16 kHz"), (5, "wav 44.1 kHz"), (10, "mp3 44.1 kHz")}
_QUICK_PEERS = {(1, "wav 16 kHz"), (5, "wav 44.1 kHz")}


@dataclass(frozen=True)
class _Route:
    """A running server's route for one clip, and what is wrong with its answer."""

    name: str
    server: Server
    path: str
    body: Body
    wrong: str | None
    counts: tuple[int, ...]


def measure(bench: Bench) -> Iterator[Result]:
    """Understudy on every length and kind, peers on those that `_PEERS_HEAR` names. Raises LoadError without wrk."""
    everything = {(seconds, kind.name) for seconds in SECONDS for kind in KINDS}
    heard = _QUICK_UNDERSTUDY if bench.quick else everything
    for clip in bench.site.clips:
        if (clip.seconds, clip.kind.name) in heard:
            yield from _measure_clip(bench, clip)


def _measure_clip(bench: Bench, clip: ClipFile) -> Iterator[Result]:
    """All who hear this clip run at once and are measured by turns, so that a slow minute is everyone's."""
    compared = (clip.seconds, clip.kind.name) in (_QUICK_PEERS if bench.quick else _PEERS_HEAR)
    subjects = list(bench.chosen() if compared else bench.chosen(UNDERSTUDY))
    with ExitStack() as stack:
        reference = stack.enter_context(Ceiling.start(bench.site, clip))
        routes: list[_Route] = []
        for subject in subjects:
            try:
                server = stack.enter_context(subject.launch(bench.site))
                routes += _find_routes(bench, subject, server, clip, reference.answer, compared=compared)
            except ServerError as error:
                yield Result(GROUP, clip.name, subject.name, problem=str(error))
        rates = {route: _warm_up(bench, route) for route in routes}
        threads: list[float] = []
        processes: list[float] = []
        for connections in (1, *_MANY):
            taking = [route for route in routes if connections in route.counts]
            measured: dict[_Route, list[Measured]] = {route: [] for route in taking}
            for _ in range(bench.repeats if taking else 0):
                # The first turn tells which of both is the ceiling.
                if not threads or threads[0] > processes[0]:
                    reference.measure_threads(pressure.WARM_SECONDS)
                    threads.append(reference.measure_threads(bench.seconds))
                if not processes or processes[0] >= threads[0]:
                    reference.measure_processes(pressure.WARM_SECONDS)
                    processes.append(reference.measure_processes(bench.seconds))
                for route in taking:
                    measured[route].append(_press(bench, route, connections, rates[route]))
            for route, runs in measured.items():
                figures, problem = merge(runs)
                told = pressure.joined([text for text in (route.wrong, problem) if text])
                yield Result(GROUP, clip.name, route.name, figures, told, connections)
        as_threads, as_processes = Figure("1/s", tuple(threads)), Figure("1/s", tuple(processes))
        best = max(as_threads, as_processes, key=lambda figure: figure.median)
        figures = {pressure.RATE: best, "as threads": as_threads, "as processes": as_processes}
        yield Result(GROUP, clip.name, CEILING, figures)


def _find_routes(
    bench: Bench, subject: Subject, server: Server, clip: ClipFile, expected: Answer, *, compared: bool
) -> Iterator[_Route]:
    """The routes of a server that are measured; where peers are, Understudy's form upload is one of them."""
    ours = subject.name == UNDERSTUDY
    hearings = {subject.name: subject.hearing}
    if ours and compared:
        hearings[f"{subject.name} (form)"] = subject.hearings["multipart"]
    for name, hearing in hearings.items():
        body = hearing.wrap(clip.read(), clip.kind.content_type)
        wrong = disagreement(hearing.unwrap(exchange(server, hearing.path, body)), expected)
        counts = (1, *_MANY) if name in (UNDERSTUDY, THREADS) and not bench.quick else _MANY
        yield _Route(name, server, hearing.path, body, wrong, counts)


def _warm_up(bench: Bench, route: _Route) -> float:
    """The rate of a first short run at the most connections."""
    figures, _ = pressure.press(
        route.server,
        route.path,
        route.body,
        bench.work,
        connections=max(route.counts),
        seconds=pressure.WARM_SECONDS,
        repeats=1,
    )
    return figures[pressure.RATE].median


def _press(bench: Bench, route: _Route, connections: int, rate: float) -> Measured:
    return pressure.press(
        route.server,
        route.path,
        route.body,
        bench.work,
        connections=connections,
        seconds=lasting(bench.seconds, connections, rate),
        repeats=1,
        warm=True,
    )


def lasting(seconds: float, connections: int, rate: float) -> float:
    """Long enough for a few answers a connection at `rate` a second, and at most thrice as long as asked."""
    needed = _ANSWERS * connections / rate if rate else math.inf
    return min(3 * seconds, max(seconds, needed))


def disagreement(answer: Answer, expected: Answer) -> str | None:
    """Describe the difference between an answer and the pipeline's own; None if they agree."""
    if answer.label == expected.label and abs(answer.score - expected.score) <= TOLERANCE:
        return None
    return f"answers {answer.label} {answer.score:.4f}, and the pipeline {expected.label} {expected.score:.4f}"
