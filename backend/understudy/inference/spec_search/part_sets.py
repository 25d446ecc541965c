"""Parts of a front end, alone and joined, that give features of a certain number."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

Part = dict[str, Any]

_LONGEST = 512  # features of a frame
_MOST_MFCC = 128
_USUAL_MFCC = (40, 20, 13, 128, 30, 25, 26, 12, 50, 60, 64, 80, 24, 39, 14, 32)
_USUAL_BANDS = (128, 64, 40, 80, 96, 256, 32, 26, 20)
_MOST_JOINED = 60  # sets of joined parts
_DECIBELS = {"kind": "decibels", "of": "power", "ref": 1.0, "amin": 1e-10, "top_db": 80.0}
_LOGARITHM = {"kind": "log", "offset": 1e-6}
_LIBROSA_FRAMINGS = (
    {"n_fft": 2048, "hop_length": 512},
    {"n_fft": 1024, "hop_length": 256},
    {"n_fft": 1024, "hop_length": 512},
    {"n_fft": 512, "hop_length": 256},
    {"n_fft": 400, "hop_length": 160},
)
_TORCH_FRAMINGS = ({"n_fft": 400, "hop_length": 200}, {"n_fft": 1024, "hop_length": 512}, *_LIBROSA_FRAMINGS[:2])
_TENSORFLOW_FRAMINGS = (
    {"n_fft": 1024, "win_length": 1024, "hop_length": 256},
    {"n_fft": 512, "win_length": 400, "hop_length": 160},
    {"n_fft": 2048, "win_length": 2048, "hop_length": 512},
    {"n_fft": 512, "win_length": 480, "hop_length": 160},
)
# Widths and parts of functions of librosa.feature, but for MFCC, whose width is free.
_JOINABLE: dict[str, tuple[int, Part]] = {
    "chroma": (12, {"kind": "chroma", "stft": {"power": 2.0}}),
    "mel": (128, {"kind": "mel", "stft": {"power": 2.0}, "mel": {"n_mels": 128}}),
    "contrast": (7, {"kind": "contrast", "stft": {"power": 1.0}}),
    "tonnetz": (6, {"kind": "tonnetz"}),
    **{
        name: (1, {"kind": name, "stft": {"power": 1.0}})
        for name in (
            "zero_crossing_rate",
            "rms",
            "spectral_centroid",
            "spectral_bandwidth",
            "spectral_rolloff",
            "spectral_flatness",
        )
    },
}
# Orders in which published scripts join them.
_ORDERS: tuple[tuple[str, ...], ...] = (
    ("mfcc", "chroma", "mel", "contrast", "tonnetz"),
    ("zero_crossing_rate", "chroma", "mfcc", "rms", "mel"),
    ("chroma", "zero_crossing_rate", "rms", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "mfcc"),
    ("chroma", "rms", "spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "zero_crossing_rate", "mfcc"),
    (
        "mfcc",
        "chroma",
        "contrast",
        "zero_crossing_rate",
        "rms",
        "spectral_centroid",
        "spectral_bandwidth",
        "spectral_rolloff",
        "spectral_flatness",
    ),
    ("mfcc", "spectral_centroid", "spectral_rolloff", "zero_crossing_rate", "rms"),
)


@dataclass(frozen=True)
class PartSet:
    """Parts in order. `framings` replace fields of each part's `stft`; without `rates` all usual ones are tried."""

    name: str
    parts: tuple[Part, ...]
    framings: Sequence[Mapping[str, Any]] = ()
    rates: tuple[int | str, ...] = ()
    sound: Mapping[str, Any] | None = None


def list_vector_parts(width: int) -> Iterator[PartSet]:
    """Yield the sets with `width` features, for statistics over time; the usual ones come first.

    A number that neither bands nor MFCC usually have is rather that of joined parts.
    """
    if width in _USUAL_MFCC or width in _USUAL_BANDS:
        yield from list_matrix_parts(width)
        yield from list_joined_parts(width)
    else:
        yield from list_joined_parts(width)
        yield from list_matrix_parts(width)


def list_matrix_parts(width: int) -> Iterator[PartSet]:
    """Yield the single parts with `width` features a frame; the usual ones come first."""
    if not 1 <= width <= _LONGEST:
        return
    if 5 <= width <= _MOST_MFCC:
        yield _make_mfcc(width)
    if width >= 10:
        yield from _list_mel(width)
    for share, orders in ((3, [1, 2]), (2, [1])):
        if width % share == 0 and width // share in _USUAL_MFCC:
            deltas = {"deltas": {"orders": orders}}
            yield _make_mfcc(width // share, f" and deltas {orders}", deltas)
    if width == 12:
        yield PartSet("chroma", (_JOINABLE["chroma"][1],), _LIBROSA_FRAMINGS[:2])
    yield from _list_spectra(width)
    yield from _list_other_packages(width)


def _make_mfcc(count: int, words: str = "", extra: Part | None = None) -> PartSet:
    part = {"kind": "mfcc", "stft": {}, "mel": {"n_mels": 128}, "compression": _DECIBELS, "n_mfcc": count}
    return PartSet(f"mfcc {count}{words}", (part | (extra or {}),), _LIBROSA_FRAMINGS)


def _list_mel(width: int) -> Iterator[PartSet]:
    bands = {"stft": {"power": 2.0}, "mel": {"n_mels": width}}
    for words, compression in (
        ("decibels below the maximum", _DECIBELS | {"ref": "max"}),
        ("decibels", _DECIBELS),
        ("logarithm", _LOGARITHM),
    ):
        part = {"kind": "log_mel", "compression": compression} | bands
        yield PartSet(f"log_mel {width} ({words})", (part,), _LIBROSA_FRAMINGS)
    yield PartSet(f"mel {width}", ({"kind": "mel"} | bands,), _LIBROSA_FRAMINGS)


def _list_spectra(width: int) -> Iterator[PartSet]:
    n_fft = 2 * (width - 1)
    if width < 33 or n_fft % 32:
        return
    magnitudes = {"kind": "stft", "stft": {"n_fft": n_fft, "power": 1.0}}
    below = _DECIBELS | {"of": "magnitude", "amin": 1e-5, "ref": "max"}
    for words, compression in (("decibels below the maximum", below), ("magnitudes", {"kind": "linear"})):
        for hop in (n_fft // 4, n_fft // 2, 512):
            stft = magnitudes["stft"] | {"hop_length": hop}  # type: ignore[operator]
            yield PartSet(f"stft {words}", (magnitudes | {"stft": stft, "compression": compression},))


def _list_other_packages(width: int) -> Iterator[PartSet]:
    """Yield the features of python_speech_features, torchaudio and tf.signal."""
    if 5 <= width <= 26:
        part: Part = {"kind": "speech_mfcc", "n_mfcc": width}
        yield PartSet(f"speech_mfcc {width}", (part,), rates=("file", 16_000, 22_050, 44_100, 8_000))
    if width == 39:
        part = {"kind": "speech_mfcc", "n_mfcc": 13, "deltas": [1, 2]}
        yield PartSet("speech_mfcc 13 and deltas", (part,), rates=("file", 16_000, 22_050))
    if 20 <= width <= 80:
        part = {"kind": "speech_log_filterbank", "n_filters": width}
        yield PartSet(f"speech_log_filterbank {width}", (part,), rates=("file", 16_000, 22_050))
    torch = {"resampler": "torchaudio"}
    reflected = {"pad_mode": "reflect", "power": 2.0}
    bands = {"n_mels": width, "scale": "htk", "norm": "none", "whole_nyquist": True}
    starting = {"center": False, "align": "start", "power": 1.0}
    straight = {"n_mels": width, "fmin": 80.0, "fmax": 7600.0, "scale": "htk", "norm": "none", "edges": "mel"}
    if width >= 10:
        for words, compression in (("decibels", _DECIBELS | {"top_db": None}), ("logarithm", _LOGARITHM)):
            part = {"kind": "log_mel", "stft": reflected, "mel": bands, "compression": compression}
            rates = (16_000, 22_050, "file", 44_100)
            yield PartSet(f"torchaudio mel {width} ({words})", (part,), _TORCH_FRAMINGS, rates, torch)
        part = {"kind": "log_mel", "stft": starting, "mel": straight, "compression": _LOGARITHM}
        yield PartSet(f"tf.signal log mel {width}", (part,), _TENSORFLOW_FRAMINGS, (16_000, 22_050, "file"))
        part = {"kind": "kaldi_fbank", "n_mels": width}
        yield PartSet(f"kaldi_fbank {width}", (part,), (), (16_000, "file"), torch)
    if 10 <= width <= 64:
        mel = bands | {"n_mels": max(width, 128)}
        part = {"kind": "mfcc", "stft": reflected, "mel": mel, "compression": _DECIBELS, "n_mfcc": width}
        yield PartSet(f"torchaudio mfcc {width}", (part,), _TORCH_FRAMINGS, (16_000, 22_050, "file"), torch)
        part = {"kind": "mfcc", "stft": starting, "mel": straight | {"n_mels": 80}, "compression": _LOGARITHM}
        part |= {"n_mfcc": width, "dct_norm": "htk"}
        yield PartSet(f"tf.signal mfcc {width}", (part,), _TENSORFLOW_FRAMINGS, (16_000, 22_050))


def list_joined_parts(width: int) -> Iterator[PartSet]:
    """Yield joined parts with `width` features together: few parts first, then the usual numbers of MFCC."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for order in _ORDERS:
        for count in range(2, len(order) + 1):
            for names in combinations(order, count):
                fixed = sum(_JOINABLE[name][0] for name in names if name != "mfcc")
                mfcc = width - fixed
                if mfcc == 0 and "mfcc" not in names:
                    found.setdefault(names, (0, 0))
                elif "mfcc" in names and mfcc in _USUAL_MFCC:
                    found.setdefault(names, (mfcc, _USUAL_MFCC.index(mfcc)))
    ranked = sorted(found.items(), key=lambda entry: (entry[1][1] // 3, len(entry[0]), entry[1][1]))
    for names, (mfcc, _) in ranked[:_MOST_JOINED]:
        parts = tuple(_make_mfcc(mfcc).parts[0] if name == "mfcc" else _JOINABLE[name][1] for name in names)
        yield PartSet("+".join(names), parts, _LIBROSA_FRAMINGS[:1], (22_050, "file", 16_000))
