"""Compute cases with torchaudio."""

from typing import Any

import torch
import torchaudio
import torchaudio.compliance.kaldi

from scripts.originals.cases import TORCHAUDIO, Case

CASES = TORCHAUDIO
VERSION = torchaudio.__version__.partition("+")[0]


def compute(case: Case, samples: Any, rate: int) -> Any:
    """Return the features [frames, features] of mono samples."""
    waveform = torch.from_numpy(samples)[None]
    arguments = dict(case.arguments)
    if case.function == "fbank":
        if arguments.pop("remove_mean", False):
            waveform = waveform - waveform.mean()
        waveform = waveform * arguments.pop("scale", 1.0)
        return torchaudio.compliance.kaldi.fbank(waveform, sample_frequency=rate, **arguments).numpy()
    if case.function != "Spectrogram":
        arguments["sample_rate"] = rate
    if "window_fn" in arguments:
        arguments["window_fn"] = getattr(torch, arguments["window_fn"])
    features = getattr(torchaudio.transforms, case.function)(**arguments)(waveform)
    if case.decibels is not None:
        features = torchaudio.transforms.AmplitudeToDB(**case.decibels)(features)
    return features[0].T.numpy()
