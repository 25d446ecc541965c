"""List specs of which a search starts: kinds of features that fill an input, in the sizes that its shape asks for."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from understudy.inference.spec_search.part_sets import PartSet, list_matrix_parts, list_vector_parts

Document = dict[str, Any]
Shape = tuple[int | None, ...]
Start = tuple[str, Document]

_STATISTICS = (
    ("mean",),
    ("mean", "std"),
    ("mean", "max"),
    ("mean", "std", "max"),
    ("mean", "std", "max", "min"),
    ("max",),
    ("std",),
)
_RATES: tuple[int | str, ...] = (22_050, 16_000, "file", 44_100, 8_000)
_SHORTEST_WAVEFORM = 1600  # values of a vector; fewer are features
_FLAT_WIDTHS = (13, 20, 26, 39, 40, 64, 80, 128)
_FEWEST_FRAMES = 8
_PICTURE_BANDS = (128, 64, 256)
_BACKBONE_WIDTHS = {1024: "embedding", 521: "scores"}


def list_starts(shape: Shape) -> Iterator[Start]:
    """Yield name and spec of each start for an input of `shape`, with the batch; the usual ones come first."""
    item = shape[1:]
    if len(shape) == 1 or _is_waveform(item):
        yield from _list_waveforms(shape[0] if len(shape) == 1 else item[0])
    if len(item) == 1 and item[0] is not None:
        yield from _list_backbone_vectors(item[0])
        yield from _list_vectors(item[0])
        yield from _list_flat_matrices(item[0])
    if len(item) in (2, 3):
        yield from _list_matrices(item)
    if len(item) == 3:
        yield from _list_pictures(item)


def _is_waveform(item: Shape) -> bool:
    long = bool(item) and (item[0] is None or item[0] >= _SHORTEST_WAVEFORM)
    return long and (len(item) == 1 or (len(item) == 2 and item[1] == 1))


def _list_waveforms(samples: int | None) -> Iterator[Start]:
    for rate in (16_000, 22_050, 44_100, 48_000, 8_000, 32_000, *(["file"] if samples is None else [])):
        spec: Document = {"front_end": [{"kind": "waveform"}], "sample_rate": rate, "aggregation": "mean"}
        if samples is None:
            yield f"waveform at {rate} Hz, whole clip", spec | {"window_seconds": None}
            for window in (0.96, 0.975, 1.0, 2.0, 3.0, 5.0):
                yield f"waveform at {rate} Hz, windows", spec | {"window_seconds": window, "hop_seconds": window}
        elif isinstance(rate, int):
            for hop in (0.5, 1.0):
                window = samples / rate
                blocks = {"window_seconds": window, "hop_seconds": hop * window}
                yield f"waveform at {rate} Hz, windows", spec | blocks
            fitted = {"sound": {"length": {"samples": samples}}, "hop_seconds": samples / rate}
            yield f"waveform at {rate} Hz, one window", spec | fitted


def _list_backbone_vectors(size: int) -> Iterator[Start]:
    for width, output in _BACKBONE_WIDTHS.items():
        for statistics in _STATISTICS:
            if size == width * len(statistics):
                yield (
                    f"yamnet {output}, {'+'.join(statistics)}",
                    {
                        "front_end": [{"kind": "yamnet", "output": output}],
                        "sample_rate": 16_000,
                        "pooling": {"statistics": list(statistics)},
                        "window_seconds": None,
                    },
                )


def _list_vectors(size: int) -> Iterator[Start]:
    for statistics in _STATISTICS:
        width, rest = divmod(size, len(statistics))
        if rest:
            continue
        for parts in list_vector_parts(width):
            for name, spec in _list_rates(parts):
                yield f"{name}, {'+'.join(statistics)}", spec | {"pooling": {"statistics": list(statistics)}}


def _list_flat_matrices(size: int) -> Iterator[Start]:
    for width in _FLAT_WIDTHS:
        frames, rest = divmod(size, width)
        if rest or frames < _FEWEST_FRAMES:
            continue
        for axes in ("features_first", "time_first"):
            arrangement = {"frames": {"count": frames}, "layout": {"axes": axes, "flatten": True}}
            for parts in list_matrix_parts(width):
                for name, spec in _list_rates(parts):
                    yield f"{name}, {axes}, flat", spec | {"arrangement": deepcopy(arrangement)}


def split_channel(item: Shape) -> tuple[str, Shape]:
    """Return the place of an added channel axis (none, first or last), and the shape without it."""
    if len(item) == 3 and item[-1] == 1:
        return "last", item[:-1]
    if len(item) == 3 and item[0] == 1:
        return "first", item[1:]
    return "none", item


def _list_matrices(item: Shape) -> Iterator[Start]:
    channel, axes = split_channel(item)
    if len(axes) != 2:
        return
    for order, (features, frames) in (("features_first", axes), ("time_first", axes[::-1])):
        if features is None:
            continue
        arrangement: Document = {"layout": {"axes": order, "channel": channel}}
        if frames is not None:
            arrangement["frames"] = {"count": frames}
        if features in _BACKBONE_WIDTHS:
            part = {"kind": "yamnet", "output": _BACKBONE_WIDTHS[features]}
            spec = {"front_end": [part], "sample_rate": 16_000, "pooling": "none", "window_seconds": None}
            yield f"yamnet {part['output']} in order", spec | {"arrangement": deepcopy(arrangement)}
        for parts in list_matrix_parts(features):
            for name, spec in _list_rates(parts):
                yield f"{name}, {order}", spec | {"arrangement": deepcopy(arrangement)}


def _list_pictures(item: Shape) -> Iterator[Start]:
    for first, axes in ((False, item[:2]), (True, item[1:])):
        channels = item[0] if first else item[-1]
        if channels not in (1, 3) or None in axes:
            continue
        picture = {"height": axes[0], "width": axes[1], "channels": channels, "channels_first": first}
        for bands in _PICTURE_BANDS:
            for colors in ("grey", "viridis", "magma") if channels == 3 else ("grey",):
                arrangement = {"picture": picture | {"colors": colors}}
                for parts in list_matrix_parts(bands):
                    if parts.name.startswith("log_mel"):
                        for name, spec in _list_rates(parts):
                            yield f"{name}, {colors} picture", spec | {"arrangement": deepcopy(arrangement)}


def _list_rates(parts: PartSet) -> Iterator[Start]:
    """Yield name and spec of a set of parts at each rate and in each of its framings."""
    rates: Sequence[int | str] = parts.rates or _RATES
    for stft in parts.framings or ({},):
        for rate in rates:
            front_end = deepcopy(list(parts.parts))
            for part in front_end:
                if "stft" in part:
                    part["stft"] |= stft
            spec: Document = {"front_end": front_end, "sample_rate": rate, "window_seconds": None}
            if parts.sound:
                spec["sound"] = deepcopy(parts.sound)
            framed = f", n_fft {stft['n_fft']}" if stft else ""
            yield f"{parts.name} at {'the own rate' if rate == 'file' else f'{rate} Hz'}{framed}", spec
