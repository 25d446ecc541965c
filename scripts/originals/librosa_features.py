"""Compute cases with librosa."""

from typing import Any

import librosa
import numpy as np

from scripts.originals.cases import LIBROSA, Case

CASES = LIBROSA
VERSION = librosa.__version__
_WITHOUT_RATE = ("rms", "zero_crossing_rate", "spectral_flatness")


def compute(case: Case, samples: Any, rate: int) -> Any:
    """Return the features [frames, features] of mono samples."""
    if case.function == "stft":
        features = np.abs(librosa.stft(samples, **case.arguments))
    elif case.function == "mel":
        features = librosa.feature.melspectrogram(y=samples, sr=rate, **case.arguments)
    elif case.function == "tonnetz_of_chroma_stft":
        features = librosa.feature.tonnetz(sr=rate, chroma=librosa.feature.chroma_stft(y=samples, sr=rate))
    elif case.function == "tonnetz_of_harmonic":
        features = librosa.feature.tonnetz(y=librosa.effects.harmonic(samples), sr=rate)
    elif case.function in _WITHOUT_RATE:
        features = getattr(librosa.feature, case.function)(y=samples, **case.arguments)
    else:
        features = getattr(librosa.feature, case.function)(y=samples, sr=rate, **case.arguments)
    if case.decibels is not None:
        arguments = dict(case.decibels)
        convert = librosa.power_to_db if arguments.pop("of") == "power" else librosa.amplitude_to_db
        if arguments.get("ref") == "max":
            arguments["ref"] = np.max
        features = convert(features, **arguments)
    deltas = [librosa.feature.delta(features, order=order) for order in case.deltas]
    return np.concatenate([features, *deltas]).T
