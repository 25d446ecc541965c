"""Calls of the original libraries, each with the part of a spec that must give the same features."""

from dataclasses import dataclass, field
from typing import Any

from scripts.originals.signals import RATE


@dataclass(frozen=True)
class Case:
    """A call: `arguments` of `function`, and `decibels` of the function that makes decibels of its result."""

    name: str
    function: str
    part: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    decibels: dict[str, Any] | None = None
    deltas: tuple[int, ...] = ()
    without: tuple[str, ...] = ()  # sounds of which the original returns chance values


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
        "log-mel-above-nyquist",
        "mel",
        {"kind": "log_mel", "mel": {"n_mels": 40, "fmax": 16_000}},
        {"n_mels": 40, "fmax": 16_000},
        {"of": "power"},
    ),
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

_FRAMES: dict[str, Any] = {"frame_length": 1024, "hop_length": 256}
_FRAME_STFT: dict[str, Any] = {"n_fft": 1024, "hop_length": 256, "power": 1}

LIBROSA += [
    *(
        Case(name, name, {"kind": name})
        for name in ("rms", "zero_crossing_rate", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff")
    ),
    Case("spectral_flatness", "spectral_flatness", {"kind": "spectral_flatness"}),
    Case("rms-small", "rms", {"kind": "rms", "stft": {**_FRAME_STFT, "center": False}}, {**_FRAMES, "center": False}),
    Case("crossings-small", "zero_crossing_rate", {"kind": "zero_crossing_rate", "stft": _FRAME_STFT}, _FRAMES),
    Case(
        "rolloff-low",
        "spectral_rolloff",
        {"kind": "spectral_rolloff", "stft": {"n_fft": 1024, "hop_length": 256, "power": 1}, "roll_percent": 0.1},
        {"n_fft": 1024, "hop_length": 256, "roll_percent": 0.1},
    ),
    Case("contrast", "spectral_contrast", {"kind": "contrast"}),
    Case(
        "contrast-linear",
        "spectral_contrast",
        {"kind": "contrast", "fmin": 300, "n_bands": 4, "quantile": 0.1, "linear": True, "stft": _FRAME_STFT},
        {"fmin": 300, "n_bands": 4, "quantile": 0.1, "linear": True, "n_fft": 1024, "hop_length": 256},
    ),
    Case("chroma", "chroma_stft", {"kind": "chroma"}),
    Case(
        "chroma-tuned",
        "chroma_stft",
        {"kind": "chroma", "stft": {"n_fft": 1024, "hop_length": 256}, "n_chroma": 24, "tuning": 0.2, "norm": "none"},
        {"n_fft": 1024, "hop_length": 256, "n_chroma": 24, "tuning": 0.2, "norm": None},
    ),
    Case("chroma-cqt", "chroma_cqt", {"kind": "chroma_cqt"}),
    Case(
        "chroma-cqt-small",
        "chroma_cqt",
        {"kind": "chroma_cqt", "hop_length": 1024, "n_octaves": 4, "bins_per_octave": 12, "fmin": 65.4, "tuning": 0.1},
        {"hop_length": 1024, "n_octaves": 4, "bins_per_octave": 12, "fmin": 65.4, "tuning": 0.1},
    ),
    Case("tonnetz-stft", "tonnetz_of_chroma_stft", {"kind": "tonnetz", "chroma": {"kind": "chroma"}}),
    Case("tonnetz", "tonnetz", {"kind": "tonnetz"}),
    # The median filter of scipy 1.17 returns wrong values, NaN among them, for two or three frames.
    Case(
        "tonnetz-harmonic",
        "tonnetz_of_harmonic",
        {"kind": "tonnetz", "harmonic": True},
        without=(f"click@{RATE}",),
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
        "mel-above-nyquist",
        "MelSpectrogram",
        {"kind": "mel", "stft": _TORCH_STFT, "mel": {**_TORCH_BANDS, "n_mels": 40, "fmax": 16_000}},
        {"n_mels": 40, "f_max": 16_000.0},
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

TORCHAUDIO += [
    Case("kaldi", "fbank", {"kind": "kaldi_fbank"}, {"dither": 0.0}),
    Case(
        "kaldi-ast",
        "fbank",
        {"kind": "kaldi_fbank", "n_mels": 64, "window": "hann", "remove_mean": True},
        {"dither": 0.0, "num_mel_bins": 64, "window_type": "hanning", "htk_compat": True, "remove_mean": True},
    ),
    Case(
        "kaldi-edges",
        "fbank",
        {
            "kind": "kaldi_fbank",
            "frame_length_ms": 20,
            "n_mels": 40,
            "low_hz": 60,
            "high_hz": -400,
            "window": "hamming",
            "preemphasis": 0,
            "remove_dc_offset": False,
            "use_power": False,
            "snip_edges": False,
            "scale_16_bit": True,
        },
        {
            "dither": 0.0,
            "frame_length": 20.0,
            "num_mel_bins": 40,
            "low_freq": 60.0,
            "high_freq": -400.0,
            "window_type": "hamming",
            "preemphasis_coefficient": 0.0,
            "remove_dc_offset": False,
            "use_power": False,
            "snip_edges": False,
            "scale": 32768.0,
        },
    ),
]

SPEECH = [
    Case("mfcc", "mfcc", {"kind": "speech_mfcc"}),
    Case(
        "mfcc-deltas",
        "mfcc",
        {
            "kind": "speech_mfcc",
            "n_fft": 1024,
            "n_mfcc": 20,
            "n_filters": 40,
            "low_hz": 100,
            "high_hz": 8000,
            "preemphasis": 0.95,
            "lifter": 0,
            "append_energy": False,
            "window": "hamming",
            "deltas": [1, 2],
            "scale_16_bit": False,
        },
        {
            "nfft": 1024,
            "numcep": 20,
            "nfilt": 40,
            "lowfreq": 100,
            "highfreq": 8000,
            "preemph": 0.95,
            "ceplifter": 0,
            "appendEnergy": False,
            "winfunc": "hamming",
            "scale": 1.0,
        },
        deltas=(1, 2),
    ),
    Case(
        "log-filterbank",
        "logfbank",
        {"kind": "speech_log_filterbank", "n_fft": 600, "window_seconds": 0.02, "step_seconds": 0.011},
        {"nfft": 600, "winlen": 0.02, "winstep": 0.011},
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

CASES = {"librosa": LIBROSA, "speech": SPEECH, "torchaudio": TORCHAUDIO, "torchlibrosa": TORCHLIBROSA}
