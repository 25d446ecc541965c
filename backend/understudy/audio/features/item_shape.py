"""Measure the shape of the items that a spec makes, by making some."""

import numpy as np

from understudy.audio.features.arrangement import Arranger
from understudy.audio.features.extraction import build_extractor
from understudy.audio.features.pooling import pool
from understudy.errors import FIND_SPEC, AudioUnusable, SpecInvalid
from understudy.schemas.compiler.spec import InputSpec, PartialSpec, Spec

Shape = tuple[int | None, ...]
_FILE_RATES = (44_100, 16_000)  # Hz; the items of a spec that keeps the recording's own rate may differ with it
_WHOLE_CLIPS = (2.0, 3.1)  # seconds
_ROWS = (4, 7)


def measure_feature_shape(spec: InputSpec) -> Shape:
    """Return the shape of the items of a spec with a front end; None for sizes that differ from clip to clip.

    Raises SpecInvalid where the spec cannot be computed.
    """
    extractor = build_extractor(spec)
    rates = _FILE_RATES if spec.sample_rate == "file" else (spec.sample_rate,)
    generator = np.random.default_rng(0)
    shapes = []
    for rate in rates:
        for seconds in _WHOLE_CLIPS if spec.window_seconds is None else (spec.window_seconds,):
            samples = _count_samples(spec, seconds, rate)
            noise = 0.1 * generator.standard_normal(samples).astype(np.float32)
            try:
                shapes.append(extractor.extract(noise, rate=rate).shape)
            except AudioUnusable as error:
                raise SpecInvalid(f"The spec's front end cannot take {seconds:g} s of sound: {error.detail}") from error
    return _merge(shapes)


def measure_sequence_shape(spec: Spec) -> Shape:
    """Return the shape of the items that a spec makes of the backbone's rows of a window."""
    arranger = Arranger(spec.arrangement)
    generator = np.random.default_rng(0)
    shapes = []
    for count in _ROWS:
        rows = generator.random((count, spec.embedding_width), np.float32)
        shapes.append(arranger.arrange(rows if spec.pooling is None else pool(rows, spec.pooling.statistics)).shape)
    return _merge(shapes)


def takes_sequence(spec: PartialSpec | Spec, shape: Shape, width: int) -> bool:
    """Return whether a model on a backbone takes all rows of a window at once, pooled or in order.

    `shape` is the shape of its input with the batch, and `width` the number of values of a row.
    """
    fixed = spec.arrangement is not None and spec.arrangement.frames is not None
    pooled = spec.pooling is not None and bool(spec.pooling.statistics)
    return pooled or fixed or (len(shape) == 3 and shape[-1] == width)


def require_shape(item: Shape, shape: Shape, name: str) -> None:
    """Raises SpecInvalid, which names both shapes, where an input of `shape` does not take a batch of such items.

    An axis of size 1 behind the item is added where the input has one. `name` is the input's name.
    """
    own = shape[1:]
    if len(own) == len(item) + 1 and own[-1] in (1, None):
        own = own[:-1]
    if len(own) == len(item):
        differing = [(made, asked) for made, asked in zip(item, own, strict=True) if asked not in (None, made)]
        if not differing:
            return
        varies = all(made is None for made, _ in differing)
    else:
        varies = False
    raise SpecInvalid(
        f"The spec makes items of [{_write(item)}], and the model's input {name} takes [{_write(shape[1:])}].",
        remedy="Fix the number of frames: by `arrangement.frames`, `sound.length`, `window_seconds`, or pool over time."
        if varies
        else f"Correct `front_end`, `backbone`, `pooling` or `arrangement` in the spec, or search it: `{FIND_SPEC}`.",
    )


def _write(shape: Shape) -> str:
    return ", ".join("?" if size is None else str(size) for size in shape)


def _count_samples(spec: InputSpec, seconds: float, rate: int) -> int:
    """Return the samples of a clip of `seconds` after the spec's fixed length."""
    length = spec.sound.length
    if spec.window_seconds is None and length is not None and length.pad is not None and length.cut is not None:
        return length.samples or max(1, round((length.seconds or 0) * rate))
    return max(1, round(seconds * rate))


def _merge(shapes: list[tuple[int, ...]]) -> Shape:
    if len({len(shape) for shape in shapes}) > 1:
        raise SpecInvalid(f"The spec makes items of different ranks: {', '.join(str(list(s)) for s in shapes)}.")
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True))
