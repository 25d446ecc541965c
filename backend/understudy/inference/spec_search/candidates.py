"""List the specs that a search tries first: presets, and the usual kinds of features in the sizes of the input."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from understudy.inference.spec_search.starting_points import list_starts, split_channel
from understudy.presets.presets import list_presets, read_preset

Document = dict[str, Any]
Shape = tuple[int | None, ...]

_LONGEST_VECTOR = 512  # coefficients or bands of one part


def list_candidates(shape: Shape) -> Iterator[tuple[str, Document]]:
    """Yield name and spec of each start for an input of `shape` (with the batch).

    Presets that fit as they are come first, so that the answer names them, then presets with other sizes.
    """
    changed = []
    for preset in list_presets():
        spec = read_preset(preset.name)
        for document in _fit_sizes(spec, shape[1:]):
            if document == spec:
                yield preset.name, document
            else:
                changed.append((preset.name, document))
    yield from changed
    yield from list_starts(shape)


def _fit_sizes(spec: Document, item: Shape) -> Iterator[Document]:
    """Yield the spec with the number of features and frames that an item of the given shape has."""
    parts = spec.get("front_end") or []
    kind = parts[0].get("kind") if len(parts) == 1 else None
    size_name = {"mfcc": "n_mfcc", "speech_mfcc": "n_mfcc", "log_mel": "n_mels", "mel": "n_mels"}.get(kind or "")
    if size_name is None or "picture" in spec.get("arrangement", {}):
        yield spec
        return
    if "pooling" in spec:
        statistics = len(spec["pooling"]["statistics"])
        if len(item) == 1 and item[0] is not None and item[0] % statistics == 0:
            yield from _set_size(spec, size_name, item[0] // statistics)
        return
    yield from _fit_matrix(spec, size_name, item)


def _fit_matrix(spec: Document, size_name: str, item: Shape) -> Iterator[Document]:
    """Yield the spec for frames x features and features x frames, with the channel axis that the item has."""
    channel, axes = split_channel(item)
    if len(axes) != 2:
        return
    for order, (frames, features) in (("time_first", axes), ("features_first", axes[::-1])):
        if features is None:
            continue
        for document in _set_size(spec, size_name, features):
            arrangement = document.setdefault("arrangement", {})
            arrangement["layout"] = {"axes": order, "channel": channel}
            given = arrangement.pop("frames", {})
            if frames is not None:
                arrangement["frames"] = given | {"count": frames}
            yield document


def _set_size(spec: Document, name: str, size: int) -> Iterator[Document]:
    if not 1 <= size <= _LONGEST_VECTOR:
        return
    document = deepcopy(spec)
    part = document["front_end"][0]
    if name == "n_mels":
        part["mel"] = part.get("mel", {}) | {"n_mels": size}
    else:
        part["n_mfcc"] = size
        if "mel" in part:
            part["mel"]["n_mels"] = max(part["mel"].get("n_mels", 128), size)
    yield document
