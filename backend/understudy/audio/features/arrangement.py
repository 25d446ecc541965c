"""Arrange features as the array that a model takes."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.pictures import draw_picture
from understudy.audio.features.standardization import Standardizer
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.arrangement import Arrangement, Axes, Frames, Layout, Standardization
from understudy.schemas.front_end.sound import Side

Features = NDArray[np.float32]


class Arranger:
    """Carries out the steps of an arrangement in the order of its fields."""

    def __init__(self, arrangement: Arrangement) -> None:
        """Raises SpecInvalid when the numbers of a standardization are still those of a file."""
        self._arrangement = arrangement
        self._before = self._prepare(arrangement.standardize_before)
        self._after = self._prepare(arrangement.standardize)

    def arrange(self, features: Features) -> Features:
        """Return the model's item without the batch axis for float32 [frames, features], or [features] when pooled.

        Raises SpecInvalid when a step does not fit the features: a standardization of another number of them, frames
        or a picture of pooled features, or a shape of another number of values.
        """
        arrangement = self._arrangement
        values = features if self._before is None else self._before.apply(features)
        if arrangement.frames is not None:
            values = _fit_frames(_need_frames(values, "frames"), arrangement.frames)
        if self._after is not None:
            values = self._after.apply(values)
        if arrangement.picture is not None:
            values = draw_picture(_need_frames(values, "picture"), arrangement.picture)
        else:
            values = _order_axes(values, arrangement.layout)
        return np.ascontiguousarray(_reshape(values, arrangement.layout), np.float32)

    def _prepare(self, standardization: Standardization | None) -> Standardizer | None:
        if standardization is None:
            return None
        return Standardizer(standardization, features_first=self._arrangement.layout.axes is Axes.FEATURES_FIRST)


def _need_frames(values: Features, step: str) -> Features:
    if values.ndim < 2:
        raise SpecInvalid(
            f"The spec's arrangement.{step} needs features over time, and its features are one vector.",
            remedy=f"Leave out arrangement.{step}, or the pooling before it.",
        )
    return values


def _fit_frames(values: Features, frames: Frames) -> Features:
    missing = frames.count - len(values)
    if missing < 0:
        start = {Side.START: -missing, Side.END: 0, Side.CENTER: -missing // 2}[frames.cut]
        return values[start : start + frames.count]
    before = {Side.START: missing, Side.END: 0, Side.CENTER: missing // 2}[frames.pad]
    filling = frames.value if frames.value != "minimum" else values.min() if len(values) else 0.0
    return np.pad(values, ((before, missing - before), (0, 0)), constant_values=filling)


def _order_axes(values: Features, layout: Layout) -> Features:
    ordered = values.T if layout.axes is Axes.FEATURES_FIRST else values
    if layout.channel == "none":
        return ordered
    return ordered[None] if layout.channel == "first" else ordered[..., None]


def _reshape(values: Features, layout: Layout) -> Features:
    if layout.flatten:
        values = values.reshape(-1)
    if layout.shape is None:
        return values
    if values.size != np.prod(layout.shape):
        wanted, given = (" x ".join(map(str, shape)) for shape in (layout.shape, values.shape))
        raise SpecInvalid(f"The spec's arrangement.layout.shape is {wanted}, and the features have the shape {given}.")
    return values.reshape(layout.shape)
