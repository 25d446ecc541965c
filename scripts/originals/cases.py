"""Calls of the original libraries, each with the part of a spec that must give the same features."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """A call: `arguments` of `function`, and `decibels` of the function that makes decibels of its result."""

    name: str
    function: str
    part: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    decibels: dict[str, Any] | None = None
    deltas: tuple[int, ...] = ()


_SMALL_STFT: dict[str, Any] = {"n_fft": 512, "hop_length": 256}

LIBROSA = [
    Case("stft-magnitude", "stft", {"kind": "stft", "stft": {**_SMALL_STFT, "power": 1}}, _SMALL_STFT),
    Case(
        "stft-decibels",
        "stft",
        {
            "kind": "stft",
            "stft": {**_SMALL_STFT, "power": 1},
            "compression": {"kind": "decibels", "of": "magnitude", "amin": 1e-5, "ref": "max"},
        },
        _SMALL_STFT,
        {"of": "amplitude", "ref": "max"},
    ),
    Case(
        "stft-short-window",
        "stft",
        {
            "kind": "stft",
            "stft": {
                "n_fft": 600,
                "win_length": 401,
                "hop_length": 300,
                "window": "blackman",
                "pad_mode": "reflect",
                "power": 1,
            },
        },
        {"n_fft": 600, "win_length": 401, "hop_length": 300, "window": "blackman", "pad_mode": "reflect"},
    ),
    Case("mel", "mel", {"kind": "mel"}),
    Case(
        "mel-htk",
        "mel",
        {
            "kind": "mel",
            "stft": {**_SMALL_STFT, "window": "hamming", "center": False, "power": 1},
            "mel": {"n_mels": 26, "fmin": 50, "fmax": 8000, "scale": "htk", "norm": "none"},
        },
        {
            **_SMALL_STFT,
            "window": "hamming",
            "center": False,
            "power": 1.0,
            "n_mels": 26,
            "fmin": 50,
            "fmax": 8000,
            "htk": True,
            "norm": None,
        },
    ),
    Case("log-mel", "mel", {"kind": "log_mel"}, {}, {"of": "power"}),
    Case(
        "log-mel-max",
        "mel",
        {"kind": "log_mel", "mel": {"n_mels": 64}, "compression": {"kind": "decibels", "ref": "max"}},
        {"n_mels": 64},
        {"of": "power", "ref": "max"},
    ),
    Case(
        "log-mel-deep",
        "mel",
        {
            "kind": "log_mel",
            "stft": {"pad_mode": "reflect"},
            "mel": {"n_mels": 40, "fmin": 20},
            "compression": {"kind": "decibels", "top_db": None},
        },
        {"n_mels": 40, "fmin": 20, "pad_mode": "reflect"},
        {"of": "power", "top_db": None},
    ),
    Case("mfcc", "mfcc", {"kind": "mfcc", "stft": {"hop_length": 512}}),
    Case(
        "mfcc-40-lifted",
        "mfcc",
        {
            "kind": "mfcc",
            "stft": {"n_fft": 1024, "hop_length": 256},
            "mel": {"n_mels": 64, "fmax": 8000},
            "n_mfcc": 40,
            "lifter": 22,
            "dct_norm": "none",
        },
        {"n_mfcc": 40, "n_fft": 1024, "hop_length": 256, "n_mels": 64, "fmax": 8000, "lifter": 22, "norm": None},
    ),
    Case(
        "mfcc-deltas",
        "mfcc",
        {"kind": "mfcc", "n_mfcc": 13, "deltas": {"orders": [1, 2]}},
        {"n_mfcc": 13},
        deltas=(1, 2),
    ),
]

_TORCH_STFT: dict[str, Any] = {"n_fft": 400, "hop_length": 200, "pad_mode": "reflect"}
_TORCH_BANDS: dict[str, Any] = {"scale": "htk", "norm": "none", "whole_nyquist": True}

TORCHAUDIO = [
    Case("spectrogram", "Spectrogram", {"kind": "stft", "stft": _TORCH_STFT}),
    Case(
        "mel",
        "MelSpectrogram",
        {"kind": "mel", "stft": _TORCH_STFT, "mel": {**_TORCH_BANDS, "n_mels": 40}},
        {"n_mels": 40},
    ),
    Case(
        "log-mel",
        "MelSpectrogram",
        {
            "kind": "log_mel",
            "stft": {"n_fft": 1024, "win_length": 800, "hop_length": 320, "pad_mode": "reflect"},
            "mel": {**_TORCH_BANDS, "n_mels": 64, "fmin": 60, "fmax": 7800},
        },
        {"n_fft": 1024, "win_length": 800, "hop_length": 320, "n_mels": 64, "f_min": 60, "f_max": 7800},
        {"stype": "power", "top_db": 80},
    ),
    Case(
        "log-mel-deep",
        "MelSpectrogram",
        {
            "kind": "log_mel",
            "stft": {"n_fft": 1024, "hop_length": 512, "pad_mode": "reflect"},
            "mel": {"n_mels": 64, "whole_nyquist": True},
            "compression": {"kind": "decibels", "top_db": None},
        },
        {"n_fft": 1024, "hop_length": 512, "n_mels": 64, "mel_scale": "slaney", "norm": "slaney"},
        {"stype": "power"},
    ),
    Case(
        "amplitude",
        "Spectrogram",
        {
            "kind": "stft",
            "stft": {**_TORCH_STFT, "power": 1, "window": "hamming"},
            "compression": {"kind": "decibels", "of": "magnitude"},
        },
        {"power": 1.0, "window_fn": "hamming_window"},
        {"stype": "magnitude", "top_db": 80},
    ),
    Case(
        "mfcc",
        "MFCC",
        {"kind": "mfcc", "stft": _TORCH_STFT, "mel": {**_TORCH_BANDS, "n_mels": 64}, "n_mfcc": 40},
        {"n_mfcc": 40, "melkwargs": {"n_mels": 64}},
    ),
    Case(
        "mfcc-log",
        "MFCC",
        {
            "kind": "mfcc",
            "stft": {"n_fft": 512, "hop_length": 160, "pad_mode": "reflect"},
            "mel": {**_TORCH_BANDS, "n_mels": 40},
            "n_mfcc": 13,
            "compression": {"kind": "log", "offset": 1e-6},
        },
        {"n_mfcc": 13, "log_mels": True, "melkwargs": {"n_fft": 512, "hop_length": 160, "n_mels": 40}},
    ),
]

TORCHLIBROSA = [
    Case(
        "panns",
        "LogmelFilterBank",
        {
            "kind": "log_mel",
            "stft": {"n_fft": 1024, "hop_length": 320, "pad_mode": "reflect"},
            "mel": {"n_mels": 64, "fmin": 50, "fmax": 10_000},
            "compression": {"kind": "decibels", "top_db": None},
        },
        {"n_fft": 1024, "hop_length": 320, "n_mels": 64, "fmin": 50, "fmax": 10_000},
    ),
]

CASES = {"librosa": LIBROSA, "torchaudio": TORCHAUDIO, "torchlibrosa": TORCHLIBROSA}
