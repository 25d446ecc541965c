"""Vary one parameter of a spec at a time, over the values that published scripts use."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

Document = dict[str, Any]

_RESAMPLERS = (
    "soxr_hq",
    "kaiser_best",
    "kaiser_fast",
    "kaiser_best_resampy_2",
    "kaiser_fast_resampy_2",
    "polyphase",
    "fourier",
    "linear",
    "torchaudio",
)
_DECIBELS = {"kind": "decibels", "of": "power", "ref": 1.0, "amin": 1e-10, "top_db": 80.0}
_COMPRESSIONS = (
    _DECIBELS,
    _DECIBELS | {"ref": "max"},
    _DECIBELS | {"top_db": None},
    _DECIBELS | {"of": "magnitude", "amin": 1e-5},
    {"kind": "log", "offset": 1e-6},
    {"kind": "log", "offset": 1e-9},
    {"kind": "log", "offset": 1e-10},
    {"kind": "log", "offset": 1.0},
    {"kind": "linear"},
)
_STANDARDIZATIONS = (
    None,
    {"kind": "per_clip"},
    {"kind": "per_clip", "over": "time"},
    {"kind": "min_max"},
    {"kind": "scalar", "std": 80.0},
)
# Fields of the spec, and the values that take the place of the present one; None leaves the field out.
_SPEC_VALUES: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = (
    (("sample_rate",), (22_050, 16_000, 44_100, 48_000, 8_000, 32_000, "file")),
    (("sound", "resampler"), _RESAMPLERS),
    (("sound", "trim"), (None, {}, {"top_db": 20}, {"top_db": 30})),
    (("sound", "gain"), ("none", "peak", "rms")),
    (("sound", "round_to_16_bit"), (False, True)),
    (("sound", "channels"), ("mean", "first")),
    (("sound", "length"), (None, *({"seconds": float(seconds)} for seconds in (1, 2, 3, 4, 5, 10)))),
    (("pooling",), (None, "mean", "max", "median", "mean+std", "std")),
    (("aggregation",), ("mean", "max")),
    (("arrangement", "standardize"), _STANDARDIZATIONS),
    (("arrangement", "frames", "pad"), ("end", "start", "center")),
    (("arrangement", "frames", "cut"), ("end", "start", "center")),
    (("arrangement", "frames", "value"), (0.0, "minimum")),
)
_CUTS = ((0.0, None), (0.5, 3.0), (0.5, 2.5), (0.6, 2.5), (0.0, 3.0), (0.0, 4.0), (0.0, 5.0), (0.0, 2.5), (0.0, 1.0))
# Fields of every part of the front end.
_PART_VALUES: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = (
    (("stft", "center"), (True, False)),
    (("stft", "pad_mode"), ("constant", "reflect")),
    (("stft", "power"), (2.0, 1.0)),
    (("stft", "window"), ("hann", "hamming")),
    (("stft", "align"), ("center", "start")),
    (("mel", "n_mels"), (128, 40, 64, 80, 26)),
    (("mel", "fmax"), (None, 8_000.0, 4_000.0, 7_600.0)),
    (("mel", "fmin"), (0.0, 20.0, 50.0, 80.0)),
    (("mel", "scale"), ("slaney", "htk")),
    (("mel", "norm"), ("slaney", "none")),
    (("mel", "edges"), ("hertz", "mel")),
    (("compression",), _COMPRESSIONS),
    (("dct_norm",), ("ortho", "none")),
    (("lifter",), (0, 22)),
    (("n_fft",), (512, 1024, 2048)),
    (("append_energy",), (True, False)),
    (("scale_16_bit",), (True, False)),
)
_FRAMINGS = (
    (2048, None, 512),
    (1024, None, 256),
    (1024, None, 512),
    (512, None, 256),
    (512, None, 128),
    (512, 400, 160),
    (400, None, 160),
    (1024, 400, 160),
    (2048, None, 1024),
    (4096, None, 1024),
)


def list_variations(spec: Document) -> Iterator[tuple[str, Document]]:
    """Yield what was changed, in words, and the changed spec. Some may fit neither the schema nor the model."""
    for path, values in _SPEC_VALUES:
        if path[:2] == ("arrangement", "frames") and not spec.get("arrangement", {}).get("frames"):
            continue
        if path == ("sample_rate",) and not spec.get("front_end"):
            continue
        for value in values:
            changed = deepcopy(spec)
            _set(changed, path, value)
            yield f"{'.'.join(path)} {value}", changed
    for offset, duration in _CUTS:
        changed = deepcopy(spec)
        changed.setdefault("sound", {}).update({"offset": offset, "duration": duration})
        yield f"sound.offset {offset:g}, sound.duration {duration}", changed
    parts = spec.get("front_end") or []
    for path, values in _PART_VALUES:
        if any(path[0] in part for part in parts):
            for value in values:
                changed = deepcopy(spec)
                for part in changed["front_end"]:
                    if path[0] in part:
                        _set(part, path, value)
                yield f"{'.'.join(path)} {value}", changed
    if any("stft" in part for part in parts):
        for n_fft, window, hop in _FRAMINGS:
            changed = deepcopy(spec)
            for part in changed["front_end"]:
                if "stft" in part:
                    part["stft"] |= {"n_fft": n_fft, "win_length": window, "hop_length": hop}
            yield f"n_fft {n_fft}, win_length {window or n_fft}, hop_length {hop}", changed


def _set(document: Document, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        document[name] = document.get(name) or {}
        document = document[name]
    if value is None:
        document.pop(path[-1], None)
    else:
        document[path[-1]] = value
