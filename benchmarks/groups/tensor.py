"""A tiny network over HTTP, so that next to nothing but serving is measured: one row of 8 numbers to 4."""

from collections.abc import Iterator

import numpy as np

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.exchange import exchange
from benchmarks.networks import TINY
from benchmarks.results import Result
from benchmarks.server import ServerError
from benchmarks.subject import DENSE, Subject
from benchmarks.subjects import UNDERSTUDY
from benchmarks.wire import Array

GROUP = "tensor"
TITLE = "A tiny tensor over HTTP"
ABOUT = "One row of eight float32 through a dense layer to four: next to nothing but serving."
_ROWS = np.linspace(-1, 1, TINY[0], dtype=np.float32)[None]
_MANY = 32


def measure(bench: Bench) -> Iterator[Result]:
    """Every subject in each encoding that it has. Raises LoadError without wrk."""
    with np.load(bench.site.networks / "heads.npz") as archive:
        expected: Array = _ROWS @ archive["tiny"]
    for subject in bench.chosen():
        if subject.dense:
            yield from _measured(bench, subject, expected)


def _measured(bench: Bench, subject: Subject, expected: Array) -> Iterator[Result]:
    counts = (1, 8, _MANY) if subject.name == UNDERSTUDY and not bench.quick else (_MANY,)
    try:
        with subject.launch(bench.site, DENSE) as server:
            for encoding, route in subject.dense.items():
                body = route.wrap(_ROWS)
                answer = route.unwrap(exchange(server, route.path, body))
                right = answer.shape == expected.shape and bool(np.allclose(answer, expected, atol=1e-4))
                wrong = [] if right else [f"answers {answer.tolist()}, which should be {expected.tolist()}"]
                pressure.press(
                    server, route.path, body, bench.work, connections=_MANY, seconds=bench.seconds, repeats=1
                )
                for connections in counts:
                    figures, problem = pressure.press(
                        server,
                        route.path,
                        body,
                        bench.work,
                        connections=connections,
                        seconds=bench.seconds,
                        repeats=bench.repeats,
                    )
                    found = pressure.joined(wrong + ([problem] if problem else []))
                    yield Result(GROUP, encoding, subject.name, figures, found, connections)
    except ServerError as error:
        yield Result(GROUP, "JSON", subject.name, problem=str(error))
