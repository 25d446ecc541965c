"""The slowest of a hundred answers at half of what the server can do, beside the time of a lone request."""

from collections.abc import Iterator

from benchmarks import pressure
from benchmarks.bench import Bench
from benchmarks.clips import ClipFile
from benchmarks.results import Figure, Result
from benchmarks.server import ServerError
from benchmarks.subject import Subject
from benchmarks.subjects import THREADS, UNDERSTUDY

GROUP = "tail"
TITLE = "The tail at half load"
ABOUT = """Requests come evenly spaced at half the rate that eight connections reach; beside it the median of a lone
connection."""
ALONE, HALF_RATE, RATIO = "alone p50", "half rate", "p99 / alone"
_CLIPS = ((1, "wav 16 kHz"), (5, "wav 44.1 kHz"), (10, "wav 44.1 kHz"))
_SATURATED, _WAITING = 8, 32


def measure(bench: Bench) -> Iterator[Result]:
    """Understudy, with and without worker processes. Raises LoadError without wrk."""
    for seconds, kind in _CLIPS[: 1 if bench.quick else None]:
        clip = bench.site.clip(seconds, kind)
        for subject in bench.chosen(UNDERSTUDY, THREADS):
            try:
                yield _measured(bench, subject, clip)
            except ServerError as error:
                yield Result(GROUP, clip.name, subject.name, problem=str(error))


def _measured(bench: Bench, subject: Subject, clip: ClipFile) -> Result:
    route = subject.hearing
    body = route.wrap(clip.read(), clip.kind.content_type)
    with subject.launch(bench.site) as server:

        def press(connections: int, seconds: float, rate: float | None = None) -> tuple[dict[str, Figure], str | None]:
            return pressure.press(
                server,
                route.path,
                body,
                bench.work,
                connections=connections,
                seconds=seconds,
                repeats=bench.repeats,
                rate=rate,
                warm=True,
            )

        press(_SATURATED, 1)
        alone, first = press(1, bench.seconds)
        full, second = press(_SATURATED, bench.seconds)
        half = full[pressure.RATE].median / 2
        # More connections than are ever needed at once, so that a late answer holds up none of the later requests.
        loaded, third = press(_WAITING, 2 * bench.seconds, half)
    lone = alone[pressure.P50].median
    figures = {
        ALONE: alone[pressure.P50],
        HALF_RATE: loaded[pressure.RATE],
        pressure.P50: loaded[pressure.P50],
        pressure.P99: loaded[pressure.P99],
        RATIO: Figure("", tuple(value / lone for value in loaded[pressure.P99].values)),
    }
    return Result(GROUP, clip.name, subject.name, figures, pressure.joined([p for p in (first, second, third) if p]))
