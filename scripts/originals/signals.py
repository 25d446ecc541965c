"""Synthetic sounds that are the same on every machine, for comparisons with the original libraries."""

import numpy as np
from numpy.typing import NDArray

RATE = 22_050
TONE_HZ = 523.0


def build_signals() -> dict[str, NDArray[np.float32]]:
    """Return float32 samples at 22050 Hz by name: short enough that their features fit in the repository."""
    random = np.random.default_rng(10)
    time = np.arange(RATE // 4) / RATE
    sweep = np.sin(2 * np.pi * (200 * time + 12_000 * time**2))
    mix = 0.3 * sweep + 0.2 * np.sin(2 * np.pi * TONE_HZ * time) + 0.02 * random.normal(size=len(time))
    mix *= np.linspace(1.0, 0.01, len(time))
    click = np.zeros(1_400)
    click[700] = 1.0
    return {
        "mix": mix.astype(np.float32),
        "click": click.astype(np.float32),
        "silence": np.zeros(1_200, np.float32),
        "short": random.normal(0, 0.1, 300).astype(np.float32),
    }
