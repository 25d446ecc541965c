"""Compute cases with torchlibrosa, which PANNs take their features from."""

from importlib.metadata import version
from typing import Any

import torch
from torchlibrosa.stft import LogmelFilterBank, Spectrogram

from scripts.originals.cases import TORCHLIBROSA, Case

CASES = TORCHLIBROSA
VERSION = version("torchlibrosa")


def compute(case: Case, samples: Any, rate: int) -> Any:
    """Return the features [frames, features] of mono samples."""
    arguments = dict(case.arguments)
    spectra = Spectrogram(n_fft=arguments["n_fft"], hop_length=arguments.pop("hop_length"))
    bands = LogmelFilterBank(sr=rate, top_db=None, **arguments)
    with torch.no_grad():
        return bands(spectra(torch.from_numpy(samples)[None]))[0, 0].numpy()
