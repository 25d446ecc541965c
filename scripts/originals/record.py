"""Record what an original library computes, for the tests of our front ends.

Run it in an environment that holds numpy and the library, from the repository's root:

    python -m scripts.originals.record librosa

It writes the features of synthetic sounds to backend/tests/audio/features/golden/LIBRARY-VERSION.npz. With --sounds
FILE (an npz of float32 samples by "name@rate") and --out FILE it writes the features of those; see compare.py.
"""

import argparse
import importlib
import time
from pathlib import Path
from typing import Any

import numpy as np

from scripts.originals.signals import RATE, build_signals

GOLDEN = Path(__file__).resolve().parents[2] / "backend" / "tests" / "audio" / "features" / "golden"
LIBRARIES = ("librosa", "speech", "torchaudio", "torchlibrosa")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("--sounds", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    original = importlib.import_module(f"scripts.originals.{options.library}_features")
    if options.sounds:
        with np.load(options.sounds) as stored:
            sounds = {name: stored[name] for name in stored}
    else:
        sounds = {f"{name}@{RATE}": samples for name, samples in build_signals().items()}
    found: dict[str, Any] = {"version": np.array(original.VERSION)}
    for case in original.CASES:
        began = time.perf_counter()
        for sound, samples in sounds.items():
            if sound in case.without:
                continue
            try:
                features = original.compute(case, samples, int(sound.rpartition("@")[2]))
            except Exception as error:  # noqa: BLE001 - a library's refusal is a finding, not a failure
                print(f"{case.name} of {sound}: {type(error).__name__}: {str(error)[:100]}")  # noqa: T201
                continue
            found[f"{case.name}|{sound}"] = np.asarray(features, np.float32)
        print(f"{case.name}: {time.perf_counter() - began:.1f} s")  # noqa: T201
    target = options.out or GOLDEN / f"{options.library}-{original.VERSION}.npz"
    target.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(target, **found)
    print(f"{target}: {target.stat().st_size} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
