"""Replay the inputs and outputs that the compiler recorded with a model."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.errors import WarmUpFailed
from understudy.files.regular_file import open_regular
from understudy.inference.runtime.session import RunFailed, Session

_INPUT, _OUTPUT = "in.", "out."


def load_probes(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays `in.<name>` and `out.<name>` of a .npz file.

    Raises WarmUpFailed when the file cannot be read or holds no outputs.
    """
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            probes = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WarmUpFailed(f"The recorded probes cannot be read: {error}") from error
    if not any(name.startswith(_OUTPUT) for name in probes):
        raise WarmUpFailed("The recorded probes hold no outputs.")
    return probes


def read_recorded_inputs(probes: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the recorded inputs by the names that the graph gives them."""
    return {name.removeprefix(_INPUT): array for name, array in probes.items() if name.startswith(_INPUT)}


def replay(session: Session, probes: Mapping[str, NDArray[Any]], tolerance: float) -> float:
    """Run the recorded inputs and return the largest error, |output - recorded| / max(1, |recorded|).

    Raises WarmUpFailed when the graph fails, when an output has another shape or values that are not finite, or when
    the error exceeds `tolerance`.
    """
    feed = read_recorded_inputs(probes)
    recorded = {name.removeprefix(_OUTPUT): array for name, array in probes.items() if name.startswith(_OUTPUT)}
    answers: list[NDArray[Any]]
    try:
        answers = session.run(list(recorded), feed)
    except RunFailed as error:
        raise WarmUpFailed(f"The model failed on the recorded input: {error}") from error
    worst = 0.0
    for (name, expected), answer in zip(recorded.items(), answers, strict=True):
        if answer.shape != expected.shape:
            raise WarmUpFailed(
                f"The output {name} has the shape {list(answer.shape)}; the recorded one has {list(expected.shape)}."
            )
        if not np.isfinite(answer).all():
            raise WarmUpFailed(f"The output {name} holds values that are infinite or not numbers (NaN).")
        reference = expected.astype(np.float64)
        deviation = np.abs(answer - reference) / np.maximum(1, np.abs(reference))
        worst = max(worst, float(deviation.max(initial=0.0)))
    if worst > tolerance:
        raise WarmUpFailed(f"The outputs differ from the recorded ones by {worst:.2g}; {tolerance:.2g} is allowed.")
    return worst
