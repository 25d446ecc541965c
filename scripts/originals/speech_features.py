"""Compute cases with python_speech_features."""

from importlib.metadata import version
from typing import Any

import numpy as np
import python_speech_features

from scripts.originals.cases import SPEECH, Case

CASES = SPEECH
VERSION = version("python_speech_features")


def compute(case: Case, samples: Any, rate: int) -> Any:
    """Return the features [frames, features] of mono samples."""
    arguments = dict(case.arguments)
    scaled = samples.astype(np.float64) * arguments.pop("scale", 32768.0)
    if "winfunc" in arguments:
        arguments["winfunc"] = getattr(np, arguments["winfunc"])
    features = [getattr(python_speech_features, case.function)(scaled, rate, **arguments)]
    features += [python_speech_features.delta(features[-1], 2) for _ in case.deltas[:1]]
    features += [python_speech_features.delta(features[-1], 2) for _ in case.deltas[1:]]
    return np.concatenate(features, axis=1)
