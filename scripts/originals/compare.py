"""Print how far our front ends are from recorded features, as a table in Markdown.

Run it in the server's environment with files that record.py wrote and the sounds that they were recorded from:

    PYTHONPATH=backend python -m scripts.originals.compare sounds.npz recorded.npz ...

An error is the largest difference divided by the range of the original's values in that clip.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from scripts.originals.cases import CASES
from understudy.audio.features.front_end import FrontEnd
from understudy.schemas.front_end.parts import FrontEndPart

_PART: TypeAdapter[FrontEndPart] = TypeAdapter(FrontEndPart)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sounds", type=Path)
    parser.add_argument("recorded", type=Path, nargs="+")
    options = parser.parse_args()
    sounds = np.load(options.sounds)
    print("| case | original | clips | largest error | clip |\n|---|---|---|---|---|")  # noqa: T201
    for path in options.recorded:
        recorded = np.load(path)
        library = path.stem.partition("-")[0]
        for case in CASES[library]:
            errors = {}
            for name in sounds:
                original = recorded.get(f"{case.name}|{name}")
                if original is not None:
                    part = _PART.validate_python(case.part)
                    (features,) = FrontEnd([part], int(name.rpartition("@")[2])).compute(sounds[name])
                    errors[name] = _measure_error(features, original)
            worst = max(errors, key=lambda name: errors[name])
            row = f"| {case.name} | {library} {recorded['version']} | {len(errors)} | {errors[worst]:.1e} | {worst} |"
            print(row)  # noqa: T201


def _measure_error(features: Any, original: Any) -> float:
    if features.shape != original.shape:
        return float("inf")
    extent = float(np.ptp(original)) or max(1.0, float(np.abs(original).max()))
    return float(np.abs(features.astype(np.float64) - original).max()) / extent


if __name__ == "__main__":
    main()
