"""Every request of a load and every swap during it, and what they say about the swaps."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_MARGIN = 0.5
NEAR, STEADY = "p99 around a swap", "p99 otherwise"
COUNTS = ("requests", "failed", "stale", "wrong")
UNITS = dict.fromkeys(COUNTS, "") | {
    NEAR: "ms",
    STEADY: "ms",
    "ratio": "",
    "longest gap": "ms",
    "gap otherwise": "ms",
    "swap call": "ms",
    "call to first new answer": "ms",
}


@dataclass(frozen=True)
class Request:
    """Seconds by the monotonic clock; `generation` is None where the answer names none."""

    began: float
    ended: float
    status: int
    generation: int | None


@dataclass(frozen=True)
class Swap:
    """A call that made `generation` live."""

    began: float
    ended: float
    generation: int


def read_traces(prefix: Path) -> list[Request]:
    """Return the requests that post.lua wrote down, in the order of their answers."""
    lines = (line.split() for path in prefix.parent.glob(f"{prefix.name}.*") for line in path.read_text().splitlines())
    requests = [
        Request(float(began), float(ended), int(status), int(generation) if generation.isdigit() else None)
        for began, ended, status, generation in lines
    ]
    return sorted(requests, key=lambda request: request.ended)


def judge(requests: Sequence[Request], first: int, swaps: Sequence[Swap]) -> dict[str, float]:
    """Values by the names of UNITS, for a load that began under the generation `first`.

    A stale answer began after a swap's call had returned and yet came from an older generation; a wrong one names a
    generation that was not live at any moment of its request. The longest gap is between two answers next to each
    other, of which one lies around a swap.
    """
    good = [request for request in requests if request.status == 200 and request.generation is not None]
    near = [request for request in good if _around(request, swaps)]
    apart = [request for request in good if not _around(request, swaps)]
    p99 = [_p99(request.ended - request.began for request in part) * 1e3 for part in (near, apart)]
    gaps = [(later.ended - earlier.ended, _around(later, swaps)) for earlier, later in pairwise(good)]
    return {
        "requests": len(requests),
        "failed": len(requests) - len(good),
        "stale": sum((request.generation or 0) < _required(request, first, swaps) for request in good),
        "wrong": sum(request.generation not in _possible(request, first, swaps) for request in good),
        NEAR: p99[0],
        STEADY: p99[1],
        "ratio": p99[0] / p99[1],
        "longest gap": max((gap for gap, close in gaps if close), default=0.0) * 1e3,
        "gap otherwise": max((gap for gap, close in gaps if not close), default=0.0) * 1e3,
        "swap call": statistics.median(swap.ended - swap.began for swap in swaps) * 1e3,
        "call to first new answer": statistics.median(_delays(good, swaps)) * 1e3,
    }


def _around(request: Request, swaps: Sequence[Swap]) -> bool:
    return any(swap.began - _MARGIN <= request.ended and request.began <= swap.ended + _MARGIN for swap in swaps)


def _required(request: Request, first: int, swaps: Sequence[Swap]) -> int:
    return max((swap.generation for swap in swaps if swap.ended <= request.began), default=first)


def _possible(request: Request, first: int, swaps: Sequence[Swap]) -> set[int]:
    return {first} | {swap.generation for swap in swaps if swap.began <= request.ended}


def _delays(good: Sequence[Request], swaps: Sequence[Swap]) -> list[float]:
    """From each call's start to the first answer of its generation."""
    found = ((swap, [r.ended for r in good if r.generation == swap.generation]) for swap in swaps)
    return [min(ends) - swap.began for swap, ends in found if ends] or [float("nan")]


def _p99(latencies: Iterable[float]) -> float:
    values = list(latencies)
    return statistics.quantiles(values, n=100)[98] if len(values) > 1 else float("nan")
