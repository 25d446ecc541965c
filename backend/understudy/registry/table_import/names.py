"""Makes the names of the imported models unique.

A name that only one row of the source has stays as it is. Of several rows with one name, each is called "NAME VERSION".
What is still taken, by another row or by a model of `ml_models`, is followed by the row's key: "NAME VERSION (KEY)".
The rows are named in the order of their keys, those that keep their name first.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Named:
    """A row's name, version and label, as the source has them; `waits` is True for a row that still needs a name."""

    name: str
    version: str | None
    label: str
    waits: bool = True


def choose_names(rows: Iterable[Named], taken: Collection[str]) -> list[str | None]:
    """Return a unique name for each row that waits for one, None for the others."""
    rows = list(rows)
    used = set(taken)
    repeated = {name for name, number in Counter(row.name for row in rows).items() if number > 1}
    chosen: list[str | None] = [None] * len(rows)
    for index in sorted(range(len(rows)), key=lambda index: rows[index].name in repeated):
        row = rows[index]
        if row.waits:
            chosen[index] = name = next(each for each in _list_candidates(row, repeated) if each not in used)
            used.add(name)
    return chosen


def _list_candidates(row: Named, repeated: Collection[str]) -> Iterator[str]:
    if row.name not in repeated:
        yield row.name
    if row.version:
        yield f"{row.name} {row.version}"
    named = f"{row.name} {row.version}" if row.version else row.name
    yield f"{named} ({row.label})"
    yield from (f"{named} ({row.label}, {number})" for number in count(2))
