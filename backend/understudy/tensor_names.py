"""Names the inputs and outputs of a TensorFlow Lite file, for the compiler and for the server alike."""

from collections.abc import Sequence


def make_distinct(names: Sequence[str]) -> list[str]:
    """Return the names with a number appended where one occurs again."""
    taken: set[str] = set()
    out = []
    for name in names:
        number, distinct = 0, name
        while distinct in taken:
            number += 1
            distinct = f"{name}_{number}"
        taken.add(distinct)
        out.append(distinct)
    return out


def name_tensors(inputs: Sequence[str], outputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names without TensorFlow's `:0`; all are distinct, because inputs and outputs share a name space."""
    names = make_distinct([name.split(":")[0] for name in (*inputs, *outputs)])
    return names[: len(inputs)], names[len(inputs) :]
