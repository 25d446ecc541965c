"""Print how long our front ends and librosa take for a second of sound, as a table in Markdown.

Run it with one thread in an environment that holds librosa and pydantic:

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=backend python -m scripts.originals.measure_time

Both compute the same 10 s of noise at 22050 Hz in turn, so that a busy machine slows both; the table has medians and,
for ours, the fastest run.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from pydantic import TypeAdapter

from scripts.originals import librosa_features
from understudy.audio.features.front_end import FrontEnd
from understudy.schemas.front_end.parts import FrontEndPart

_RATE = 22_050
_SECONDS = 10
_RUNS = 30


def main() -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, _RATE * _SECONDS).astype(np.float32)
    adapter: TypeAdapter[FrontEndPart] = TypeAdapter(FrontEndPart)
    print("| case | ours, ms a second | fastest | librosa, ms a second |\n|---|---|---|---|")  # noqa: T201
    for case in librosa_features.CASES:
        front_end = FrontEnd([adapter.validate_python(case.part)], _RATE)
        ours, theirs = [], []
        for _ in range(_RUNS):
            ours.append(_measure(lambda front_end=front_end: front_end.compute(sound)))  # type: ignore[misc]
            theirs.append(_measure(lambda case=case: librosa_features.compute(case, sound, _RATE)))  # type: ignore[misc]
        row = f"| {case.name} | {statistics.median(ours):.2f} | {min(ours):.2f} | {statistics.median(theirs):.2f} |"
        print(row, flush=True)  # noqa: T201


def _measure(compute: Callable[[], object]) -> float:
    began = time.perf_counter()
    compute()
    return (time.perf_counter() - began) * 1000 / _SECONDS


if __name__ == "__main__":
    main()
