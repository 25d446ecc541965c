"""Compute cases with librosa."""

from typing import Any

import librosa
import numpy as np

from scripts.originals.cases import LIBROSA, Case

CASES = LIBROSA
VERSION = librosa.__version__


def compute(case: Case, samples: Any, rate: int) -> Any:
    """Return the features [frames, features] of mono samples."""
    if case.function == "stft":
        features = np.abs(librosa.stft(samples, **case.arguments))
    elif case.function == "mel":
        features = librosa.feature.melspectrogram(y=samples, sr=rate, **case.arguments)
    else:
        features = _call_feature(case.function)(y=samples, sr=rate, **case.arguments)
    if case.decibels is not None:
        arguments = dict(case.decibels)
        convert = librosa.power_to_db if arguments.pop("of") == "power" else librosa.amplitude_to_db
        if arguments.get("ref") == "max":
            arguments["ref"] = np.max
        features = convert(features, **arguments)
    deltas = [librosa.feature.delta(features, order=order) for order in case.deltas]
    return np.concatenate([features, *deltas]).T


def _call_feature(name: str) -> Any:
    return getattr(librosa.feature, name)
