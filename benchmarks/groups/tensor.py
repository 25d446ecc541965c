"""A tiny network over HTTP, so that next to nothing but serving is measured: one row of 8 numbers to 4."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.exchange import exchange
from benchmarks.load import Body
from benchmarks.networks import TINY
from benchmarks.results import Measured, Result, merge
from benchmarks.server import Server, ServerError
from benchmarks.subject import DENSE, Subject
from benchmarks.subjects import UNDERSTUDY
from benchmarks.wire import Array

GROUP = "tensor"
TITLE = "A tiny tensor over HTTP"
ABOUT = """\
One row of eight float32 through a dense layer to four: next to nothing but serving. All servers run at once and are
measured by turns."""
_ROWS = np.linspace(-1, 1, TINY[0], dtype=np.float32)[None]
_MANY = 32


@dataclass(frozen=True)
class _Route:
    """A running server's route in one encoding, and what is wrong with its answer."""

    subject: str
    encoding: str
    server: Server
    path: str
    body: Body
    wrong: str | None


def measure(bench: Bench) -> Iterator[Result]:
    """Every subject in each encoding that it has. Raises LoadError without wrk."""
    with np.load(bench.site.networks / "heads.npz") as archive:
        expected: Array = _ROWS @ archive["tiny"]
    with ExitStack() as stack:
        routes: list[_Route] = []
        for subject in bench.chosen():
            try:
                if subject.dense:
                    server = stack.enter_context(subject.launch(bench.site, DENSE))
                    routes += [_open(subject, encoding, server, expected) for encoding in subject.dense]
            except ServerError as error:
                yield Result(GROUP, "JSON", subject.name, problem=str(error))
        for route in routes:
            _press(bench, route, _MANY)
        for connections in (_MANY,) if bench.quick else (1, 8, _MANY):
            taking = [route for route in routes if connections == _MANY or route.subject == UNDERSTUDY]
            turns = [[_press(bench, route, connections) for route in taking] for _ in range(bench.repeats)]
            for route, runs in zip(taking, zip(*turns, strict=True), strict=True):
                figures, problem = merge(runs)
                told = pressure.joined([text for text in (route.wrong, problem) if text])
                yield Result(GROUP, route.encoding, route.subject, figures, told, connections)


def _open(subject: Subject, encoding: str, server: Server, expected: Array) -> _Route:
    route = subject.dense[encoding]
    body = route.wrap(_ROWS)
    answer = route.unwrap(exchange(server, route.path, body))
    right = answer.shape == expected.shape and bool(np.allclose(answer, expected, atol=1e-4))
    wrong = None if right else f"answers {answer.tolist()}, which should be {expected.tolist()}"
    return _Route(subject.name, encoding, server, route.path, body, wrong)


def _press(bench: Bench, route: _Route, connections: int) -> Measured:
    return pressure.press(
        route.server,
        route.path,
        route.body,
        bench.work,
        connections=connections,
        seconds=bench.seconds,
        repeats=1,
        warm=True,
    )
