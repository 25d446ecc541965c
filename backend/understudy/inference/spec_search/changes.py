"""Change one choice of a spec at a time, to the values that published scripts use."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

Document = dict[str, Any]

_DECIBELS = {"kind": "decibels", "of": "power", "ref": 1.0, "amin": 1e-10, "top_db": 80.0}
_RESAMPLERS = (
    "soxr_hq",
    "kaiser_best",
    "kaiser_fast",
    "kaiser_best_resampy_2",
    "kaiser_fast_resampy_2",
    "polyphase",
    "fourier",
    "fourier_librosa",
    "linear",
    "linear_ends",
    "tfio",
    "torchaudio",
)
_LENGTHS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_STANDARDIZATIONS = (
    None,
    {"kind": "per_clip"},
    {"kind": "per_clip", "epsilon": 1e-6},
    {"kind": "per_clip", "over": "time"},
    {"kind": "per_clip", "over": "time", "std": False},
    {"kind": "min_max"},
    {"kind": "min_max", "low": -1.0},
    {"kind": "scalar", "std": 80.0},
    {"kind": "scalar", "mean": -80.0, "std": 80.0},
    {"kind": "scalar", "mean": -40.0, "std": 40.0},
    {"kind": "scalar", "std": 255.0},
)
# Fields of the spec, and the values that take the place of the present one; None leaves the field out.
_SPEC_VALUES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("sample_rate", (22_050, 16_000, 44_100, 48_000, 8_000, 32_000, 11_025, 24_000, "file")),
    ("sound.trim", (None, {}, *({"top_db": level} for level in (10, 15, 20, 25, 30, 35, 40, 50)))),
    ("sound.resampler", _RESAMPLERS),
    ("sound.length", (None, *({"seconds": float(seconds)} for seconds in _LENGTHS))),
    ("sound.gain", ("none", "peak", "rms")),
    ("sound.round_to_16_bit", (False, True)),
    ("sound.channels", ("auto", "mean", "first")),
    ("arrangement.standardize", _STANDARDIZATIONS),
    ("aggregation", ("mean", "max")),
)
_WHERE_SET: tuple[tuple[str, tuple[Any, ...]], ...] = (  # only where the spec has the field before the last
    ("sound.length.pad", ("end", "start", "center")),
    ("sound.length.cut", ("end", "start", "center")),
    ("sound.length.fill", ("zeros", "repeat", "reflect", "edge")),
    ("arrangement.frames.pad", ("end", "start", "center")),
    ("arrangement.frames.cut", ("end", "start", "center")),
    ("arrangement.frames.value", (0.0, "minimum")),
    ("arrangement.picture.colors", ("grey", "viridis", "magma", "jet")),
    ("arrangement.picture.resize", ("bilinear", "pil_bilinear", "nearest")),
    ("arrangement.picture.scale", (1.0, 255.0)),
    ("arrangement.picture.low_at_bottom", (True, False)),
    ("arrangement.picture.round_to_8_bit", (False, True)),
)
_POOLINGS = (
    ("mean", "max", "median", "std", "min", "variance"),
    ("mean+std", "mean+max", "mean+variance", "std+mean", "mean+min", "max+min"),
    ("mean+std+max", "mean+max+min", "mean+std+median", "mean+std+min"),
    ("mean+std+max+min", "mean+std+min+max", "mean+median+std+max"),
)
_CUTS = ((0.0, None), (0.5, 3.0), (0.5, 2.5), (0.6, 2.5), (0.0, 2.5), *((0.0, float(end)) for end in (1, 2, 3, 4, 5)))
_COMPRESSIONS = (
    _DECIBELS,
    _DECIBELS | {"ref": "max"},
    _DECIBELS | {"top_db": None},
    _DECIBELS | {"ref": "max", "top_db": None},
    _DECIBELS | {"of": "magnitude", "amin": 1e-5},
    _DECIBELS | {"of": "magnitude", "amin": 1e-5, "ref": "max"},
    *({"kind": "log", "offset": offset} for offset in (1e-6, 1e-9, 1e-10, 1e-8, 1e-5, 1e-3, 1e-2, 1.0)),
    {"kind": "log", "floor": 1e-10},
    {"kind": "log", "offset": 1e-6, "base": "10"},
    {"kind": "linear"},
)
# Fields of every part of the front end that has the field before the last.
_PART_VALUES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("stft.center", (True, False)),
    ("stft.pad_mode", ("constant", "reflect", "edge")),
    ("stft.window", ("hann", "hamming")),
    ("stft.align", ("center", "start")),
    ("mel.fmax", (None, 8_000.0, 4_000.0, 7_600.0, 7_500.0, 11_025.0, 14_000.0, 10_000.0)),
    ("mel.fmin", (0.0, 20.0, 50.0, 80.0, 125.0, 300.0)),
    ("mel.scale", ("slaney", "htk")),
    ("mel.norm", ("slaney", "none")),
    ("mel.edges", ("hertz", "mel")),
    ("compression", _COMPRESSIONS),
    ("dct_norm", ("ortho", "none", "htk")),
    ("lifter", (0, 22)),
    ("deltas.mode", ("interp", "nearest")),
)
# Fields of the parts of one kind.
_KIND_VALUES: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("mfcc", "mel.n_mels", (128, 40, 64, 80, 26, 96, 256)),
    *((kind, "stft.power", (2.0, 1.0)) for kind in ("mfcc", "mel", "log_mel", "stft", "chroma", "contrast")),
    ("chroma", "norm", ("max", "none")),
    ("chroma", "kind", ("chroma_cqt",)),
    ("mel", "kind", ("log_mel",)),
    ("log_mel", "kind", ("mel",)),
    ("tonnetz", "harmonic", (False, True)),
    ("tonnetz", "chroma", ({"kind": "chroma_cqt"}, {"kind": "chroma"})),
    ("kaldi_fbank", "remove_mean", (False, True)),
    ("kaldi_fbank", "window", ("povey", "hann", "hamming")),
    ("kaldi_fbank", "scale_16_bit", (False, True)),
    ("kaldi_fbank", "snip_edges", (True, False)),
)
_SPEECH_VALUES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("n_fft", (512, 1024, 2048, 1200, None)),
    ("n_filters", (26, 40, 20, 64)),
    ("append_energy", (True, False)),
    ("scale_16_bit", (True, False)),
    ("preemphasis", (0.97, 0.95, 0.0)),
    ("lifter", (22, 0)),
    ("window", ("rectangular", "hamming", "hann")),
    ("window_seconds", (0.025, 0.02, 0.03, 0.05)),
    ("step_seconds", (0.01, 0.02, 0.005)),
    ("high_hz", (None, 8_000.0, 4_000.0)),
)
_FRAMINGS = (
    (2048, None, 512),
    (1024, None, 256),
    (1024, None, 512),
    (512, None, 256),
    (512, None, 128),
    (512, 400, 160),
    (400, None, 160),
    (400, None, 200),
    (1024, 400, 160),
    (2048, None, 1024),
    (2048, None, 256),
    (1024, None, 320),
    (1024, None, 128),
    (2048, None, 160),
    (4096, None, 1024),
)
_SPEECH = ("speech_mfcc", "speech_log_filterbank")
_MOST_ORDERED = 5  # parts of which each pair of neighbors is tried in the other order


@dataclass(frozen=True)
class Change:
    """One choice. Changes of the same `axis` exclude each other; `text` begins with it and says what is changed."""

    axis: str
    text: str
    edit: Callable[[Document], None]

    def apply(self, spec: Document) -> Document:
        """Return the changed spec, which may fit neither the schema nor the model."""
        changed = deepcopy(spec)
        self.edit(changed)
        return changed


def list_changes(spec: Document, extra: Iterable[Change] = ()) -> list[Change]:
    """Return the changes that a spec allows, and those of `extra`."""
    parts: list[Document] = spec.get("front_end") or []
    return [
        *_list_spec_changes(spec),
        *_list_poolings(spec),
        *_list_part_changes(parts),
        *_list_framings(parts),
        *_list_orders(parts),
        *extra,
    ]


def change_field(path: str, values: Sequence[Any]) -> Iterator[Change]:
    """Yield the changes of a field of the spec to each value; None leaves it out."""
    for value in values:
        yield Change(path, f"{path} {value}", partial(set_field, path, value))


def set_field(path: str, value: Any, document: Document) -> None:
    """Set the field at a path of names with dots between; None takes it out."""
    *names, last = path.split(".")
    for name in names:
        document[name] = document.get(name) or {}
        document = document[name]
    if value is None:
        document.pop(last, None)
    else:
        document[last] = value


def _has_parent(document: Document, path: str) -> bool:
    *names, _ = path.split(".")
    for name in names:
        document = document.get(name) or {}
    return bool(document)


def _list_spec_changes(spec: Document) -> Iterator[Change]:
    for path, values in _SPEC_VALUES:
        yield from change_field(path, values)
    for path, values in _WHERE_SET:
        if _has_parent(spec, path):
            yield from change_field(path, values)
    for offset, duration in _CUTS:
        text = f"cut offset {offset:g}, duration {duration}"
        yield Change("cut", text, partial(_set_cut, offset, duration))


def _set_cut(offset: float, duration: float | None, spec: Document) -> None:
    set_field("sound.offset", offset, spec)
    set_field("sound.duration", duration, spec)


def _list_poolings(spec: Document) -> Iterator[Change]:
    """Yield the other statistics of the same number, and whether each part of several has its statistics together."""
    pooling = spec.get("pooling")
    if not pooling:
        return
    statistics = pooling if isinstance(pooling, str) else "+".join(pooling["statistics"])
    count = statistics.count("+") + 1
    if count <= len(_POOLINGS):
        yield from change_field("pooling", _POOLINGS[count - 1])
    parts = spec.get("front_end") or []
    if count > 1 and len(parts) > 1:
        own = statistics.split("+")
        yield Change("part pooling", f"part pooling {statistics} of each part", partial(_set_part_pooling, own))
        yield Change("part pooling", f"part pooling {statistics} of all parts", partial(_set_part_pooling, None))


def _set_part_pooling(statistics: Sequence[str] | None, spec: Document) -> None:
    for part in spec["front_end"]:
        set_field("pooling", statistics, part)


def _list_part_changes(parts: Sequence[Document]) -> Iterator[Change]:
    kinds = {part["kind"] for part in parts}
    for path, values in _PART_VALUES:
        name = path.split(".")[0]
        if having := tuple(kind for kind in kinds if any(name in part for part in parts if part["kind"] == kind)):
            yield from _change_parts(having, path, values, path)
    for kind, path, values in _KIND_VALUES:
        if kind in kinds:
            yield from _change_parts((kind,), path, values, f"{kind}.{path}")
    if kinds & set(_SPEECH):
        for path, values in _SPEECH_VALUES:
            yield from _change_parts(_SPEECH, path, values, f"speech.{path}")


def _change_parts(kinds: Sequence[str], path: str, values: Sequence[Any], axis: str) -> Iterator[Change]:
    for value in values:
        yield Change(axis, f"{axis} {value}", partial(_set_part, kinds, path, value))


def _set_part(kinds: Sequence[str], path: str, value: Any, spec: Document) -> None:
    for part in spec["front_end"]:
        if part["kind"] not in kinds:
            continue
        if path == "kind":
            _set_kind(part, value)
        elif value is None and path == "n_fft":
            part[path] = None  # a null here is a value of its own
        else:
            set_field(path, value, part)


def _set_kind(part: Document, kind: str) -> None:
    if kind == "chroma_cqt":
        part.clear()
    part.pop("compression", None)
    part["kind"] = kind
    if kind == "log_mel":
        part["compression"] = dict(_DECIBELS)


def _list_framings(parts: Sequence[Document]) -> Iterator[Change]:
    if not any("stft" in part for part in parts):
        return
    for n_fft, window, hop in _FRAMINGS:
        stft = {"n_fft": n_fft, "win_length": window, "hop_length": hop}
        text = f"framing n_fft {n_fft}, win_length {window or n_fft}, hop_length {hop}"
        yield Change("framing", text, partial(_set_framing, stft))


def _set_framing(stft: Document, spec: Document) -> None:
    for part in spec["front_end"]:
        if "stft" in part:
            part["stft"] |= stft


def _list_orders(parts: Sequence[Document]) -> Iterator[Change]:
    """Yield the exchange of each two neighbors among the parts."""
    if not 1 < len(parts) <= _MOST_ORDERED:
        return
    for place, (first, second) in enumerate(pairwise(parts)):
        text = f"order {second['kind']} before {first['kind']}"
        yield Change("order", text, partial(_exchange_parts, place))


def _exchange_parts(place: int, spec: Document) -> None:
    parts = spec["front_end"]
    parts[place], parts[place + 1] = parts[place + 1], parts[place]
