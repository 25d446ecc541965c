"""Clips over HTTP beside the in-process ceiling, which is measured before and after every clip's group."""

import math
from collections.abc import Iterator

from benchmarks import ceiling, pressure
from benchmarks.bench import Bench
from benchmarks.clips import KINDS, SECONDS, ClipFile
from benchmarks.exchange import exchange
from benchmarks.results import Figure, Result
from benchmarks.server import Server, ServerError
from benchmarks.subject import Subject
from benchmarks.subjects import UNDERSTUDY
from benchmarks.wire import Answer, Hearing

GROUP = "predict"
TITLE = "Clips over HTTP"
ABOUT = """\
The ceiling is the same decoding, features and ONNX files without HTTP, in one process with a thread a core or in one
process a core, whichever is faster; it is measured before and after each clip's group."""
CEILING = "ceiling"
TOLERANCE = 1e-3
_ANSWERS = 4
_WARM = 3.0
_MANY = (8, 32)
_PEERS_HEAR = {(1, "wav 16 kHz"), (5, "wav 44.1 kHz"), (10, "wav 44.1 kHz")}
_QUICK_UNDERSTUDY = {(1, "wav 16 kHz"), (5, "wav 44.1 kHz"), (10, "mp3 44.1 kHz")}
_QUICK_PEERS = {(1, "wav 16 kHz"), (5, "wav 44.1 kHz")}


def measure(bench: Bench) -> Iterator[Result]:
    """Understudy on every length and kind, peers on those that `_PEERS_HEAR` names. Raises LoadError without wrk."""
    everything = {(seconds, kind.name) for seconds in SECONDS for kind in KINDS}
    heard = _QUICK_UNDERSTUDY if bench.quick else everything
    by_peers = _QUICK_PEERS if bench.quick else _PEERS_HEAR
    for clip in bench.site.clips:
        case = (clip.seconds, clip.kind.name)
        if case not in heard:
            continue
        subjects = list(bench.chosen() if case in by_peers else bench.chosen(UNDERSTUDY))
        rounds = 2 if case in by_peers and not bench.quick else 1
        before = ceiling.measure(bench.site, clip, bench.seconds, rounds)
        for subject in subjects:
            yield from _measured(bench, subject, clip, before.answer, full=case in by_peers)
        after = ceiling.measure(bench.site, clip, bench.seconds, rounds)
        threads = Figure("1/s", before.threads + after.threads)
        processes = Figure("1/s", before.processes + after.processes)
        best = max(threads, processes, key=lambda figure: figure.median)
        yield Result(GROUP, clip.name, CEILING, {pressure.RATE: best, "as threads": threads, "as processes": processes})


def _measured(bench: Bench, subject: Subject, clip: ClipFile, expected: Answer, *, full: bool) -> Iterator[Result]:
    """`full` also measures Understudy's form upload."""
    try:
        with subject.launch(bench.site) as server:
            ours = subject.name == UNDERSTUDY
            counts = (1, *_MANY) if ours and not bench.quick else _MANY
            yield from _route(bench, subject.name, server, subject.hearing, clip, expected, counts)
            if ours and full:
                form = subject.hearings["multipart"]
                yield from _route(bench, f"{subject.name} (form)", server, form, clip, expected, _MANY)
    except ServerError as error:
        yield Result(GROUP, clip.name, subject.name, problem=str(error))


def _route(
    bench: Bench,
    name: str,
    server: Server,
    hearing: Hearing,
    clip: ClipFile,
    expected: Answer,
    counts: tuple[int, ...],
) -> Iterator[Result]:
    body = hearing.wrap(clip.read(), clip.kind.content_type)
    answer = hearing.unwrap(exchange(server, hearing.path, body))
    wrong = disagreement(answer, expected)
    warm, _ = pressure.press(
        server, hearing.path, body, bench.work, connections=max(counts), seconds=min(_WARM, bench.seconds), repeats=1
    )
    for connections in counts:
        figures, problem = pressure.press(
            server,
            hearing.path,
            body,
            bench.work,
            connections=connections,
            seconds=lasting(bench.seconds, connections, warm[pressure.RATE].median),
            repeats=bench.repeats,
        )
        found = pressure.joined([text for text in (wrong, problem) if text])
        yield Result(GROUP, clip.name, name, figures, found, connections)


def lasting(seconds: float, connections: int, rate: float) -> float:
    """Long enough for a few answers a connection at `rate` a second, and at most thrice as long as asked."""
    needed = _ANSWERS * connections / rate if rate else math.inf
    return min(3 * seconds, max(seconds, needed))


def disagreement(answer: Answer, expected: Answer) -> str | None:
    """How an answer differs from the pipeline's own, if it does."""
    if answer.label == expected.label and abs(answer.score - expected.score) <= TOLERANCE:
        return None
    return f"answers {answer.label} {answer.score:.4f}, and the pipeline {expected.label} {expected.score:.4f}"
