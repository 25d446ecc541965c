"""The groups of measurements, a module each."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from benchmarks.bench import Bench
from benchmarks.groups import followers, precision, predict, registry, start, swap, tail, tensor
from benchmarks.results import Result


class Group(Protocol):
    """A module: the heading and the paragraph of its results on the page, and what measures them."""

    TITLE: str
    ABOUT: str

    def measure(self, bench: Bench) -> Iterator[Result]: ...


GROUPS: Mapping[str, Group] = {
    predict.GROUP: predict,
    tensor.GROUP: tensor,
    tail.GROUP: tail,
    swap.GROUP: swap,
    followers.GROUP: followers,
    start.GROUP: start,
    precision.GROUP: precision,
    registry.GROUP: registry,
}
