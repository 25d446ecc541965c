"""Print how far our front ends are from recorded features, as a table in Markdown.

Run it in the server's environment with files that record.py wrote and the sounds that they were recorded from:

    PYTHONPATH=backend python -m scripts.originals.compare sounds.npz recorded.npz ...
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from scripts.originals.cases import CASES, Case
from understudy.audio.features.front_end import FrontEnd
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import FrontEndPart

_PART: TypeAdapter[FrontEndPart] = TypeAdapter(FrontEndPart)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sounds", type=Path)
    parser.add_argument("recorded", type=Path, nargs="+")
    options = parser.parse_args()
    sounds = dict(np.load(options.sounds))
    print("| case | original | clips | largest error | clip |\n|---|---|---|---|---|")  # noqa: T201
    for path in options.recorded:
        recorded = dict(np.load(path))
        library = path.stem.partition("-")[0]
        for case in CASES[library]:
            errors = measure_errors(case, recorded, sounds)
            worst = max(errors, key=lambda name: errors[name])
            row = f"| {case.name} | {library} {recorded['version']} | {len(errors)} | {errors[worst]:.1e} | {worst} |"
            print(row)  # noqa: T201


def measure_errors(case: Case, recorded: dict[str, Any], sounds: dict[str, Any]) -> dict[str, float]:
    """Return the error of each sound, by "name@rate", that neither side refuses.

    An error is the largest difference divided by the range of the original's values in that clip, or by a thousandth
    of their range in all clips where that is more. Another shape is an infinite error.
    """
    originals = {name: recorded[f"{case.name}|{name}"] for name in sounds if f"{case.name}|{name}" in recorded}
    least = 1e-3 * (max(float(x.max()) for x in originals.values()) - min(float(x.min()) for x in originals.values()))
    part = _PART.validate_python(case.part)
    errors = {}
    for name, original in originals.items():
        try:
            front_end = FrontEnd([part], int(name.rpartition("@")[2]))
        except SpecInvalid:  # bands above half the sample rate, which some originals leave empty
            continue
        (features,) = front_end.compute(sounds[name])
        difference = np.abs(features.astype(np.float64) - original) if features.shape == original.shape else np.inf
        errors[name] = float(np.max(difference)) / max(least, float(np.ptp(original)))
    return errors


if __name__ == "__main__":
    main()
