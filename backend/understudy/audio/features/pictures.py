"""Draw features as a picture: scale, color and resize them.

Source of the resizing: TensorFlow's tf.image.resize (half-pixel centers, no antialiasing) and Pillow's Resample.c.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.front_end.arrangement import Colors, Picture, Resize

Values = NDArray[np.float32]

# Pillow multiplies bytes with whole numbers of 2**-22.
_PIL_BITS = 22


def draw_picture(features: Values, picture: Picture) -> Values:
    """Return `features` float32 [frames, features] as float32 [height, width, channels], or [channels, height, width].

    Where all features are equal, they are 0 before they are colored.
    """
    values = features.T[::-1] if picture.low_at_bottom else features.T
    colored = _color(_scale(values), picture.colors)
    pixels = _resize((np.floor(colored * 255) if picture.round_to_8_bit else colored).astype(np.float32), picture)
    if picture.round_to_8_bit:
        pixels = pixels / np.float32(255)
    pixels = np.repeat(pixels, picture.channels, axis=2) if pixels.shape[2] < picture.channels else pixels
    pixels = (pixels * np.float32(picture.scale)).astype(np.float32)
    return pixels.transpose(2, 0, 1) if picture.channels_first else pixels


def _scale(values: Values) -> Values:
    """Return the values scaled to 0..1 in single precision, as matplotlib scales them."""
    low, high = values.min(), values.max()
    return np.zeros_like(values) if low == high else np.asarray((values - low) / (high - low))


def _color(values: Values, colors: Colors) -> NDArray[np.floating]:
    """Return the colors [rows, columns, 1 or 3] of values from 0 to 1: float32 greys or float64 colors."""
    if colors is Colors.GREY:
        return values[:, :, None]
    index = np.minimum(values * np.float32(256), np.float32(255)).astype(np.intp)
    return np.asarray(build_color_map(colors)[index])


@cache
def build_color_map(colors: Colors) -> NDArray[np.float64]:
    """Return matplotlib's color map float64 [256, 3].

    viridis and magma are tables by Stéfan van der Walt, Nathaniel Smith and Eric Firing (CC0); jet is piecewise linear.
    """
    if colors is Colors.JET:
        position = np.linspace(0, 1, 256)
        red = np.interp(position, (0, 0.35, 0.66, 0.89, 1), (0, 0, 1, 1, 0.5))
        green = np.interp(position, (0, 0.125, 0.375, 0.64, 0.91, 1), (0, 0, 1, 1, 0, 0))
        blue = np.interp(position, (0, 0.11, 0.34, 0.65, 1), (0.5, 1, 1, 0, 0))
        return np.stack([red, green, blue], axis=1)
    with np.load(Path(__file__).with_name("color_maps.npz"), allow_pickle=False) as tables:
        return np.asarray(tables[colors.value] / 1_000_000)


def _resize(pixels: Values, picture: Picture) -> Values:
    if picture.resize is Resize.PIL_BILINEAR:
        columns = _smooth_rows(pixels.transpose(1, 0, 2), picture.width, in_bytes=picture.round_to_8_bit)
        return _smooth_rows(columns.transpose(1, 0, 2), picture.height, in_bytes=picture.round_to_8_bit)
    if picture.resize is Resize.NEAREST:
        return pixels[_find_nearest(len(pixels), picture.height)][:, _find_nearest(pixels.shape[1], picture.width)]
    rows = _interpolate_rows(pixels, picture.height)
    return _interpolate_rows(rows.transpose(1, 0, 2), picture.width).transpose(1, 0, 2)


def _find_nearest(size: int, target: int) -> NDArray[np.intp]:
    return ((np.arange(target) + 0.5) * (size / target)).astype(np.intp)


def _interpolate_rows(pixels: Values, target: int) -> Values:
    """Return the rows at the centers of `target` rows, each between the two nearest."""
    size = len(pixels)
    position = (np.arange(target) + 0.5) * (size / target) - 0.5
    lower = np.floor(position)
    weight = (position - lower).astype(np.float32)[:, None, None]
    below = pixels[np.maximum(lower, 0).astype(np.intp)]
    above = pixels[np.minimum(lower + 1, size - 1).astype(np.intp)]
    return np.asarray(below + (above - below) * weight)


def _smooth_rows(pixels: Values, target: int, *, in_bytes: bool) -> Values:
    """Return `target` rows, each the mean of the rows around it under a triangle, as Pillow computes them.

    `in_bytes` rounds weights and rows as Pillow does for pictures of 8 bits.
    """
    size = len(pixels)
    ratio = size / target
    reach = max(1.0, ratio)
    out = np.empty((target, *pixels.shape[1:]), np.float32)
    for row in range(target):
        center = (row + 0.5) * ratio
        first, end = max(0, int(center - reach + 0.5)), min(size, int(center + reach + 0.5))
        weights = np.maximum(0.0, 1 - np.abs((np.arange(first, end) - center + 0.5) / reach))
        weights /= weights.sum()
        if in_bytes:
            whole = np.floor(weights * (1 << _PIL_BITS) + 0.5)
            total = np.tensordot(whole, pixels[first:end].astype(np.float64), 1)
            out[row] = np.clip(np.floor(total / (1 << _PIL_BITS) + 0.5), 0, 255)
        else:
            out[row] = np.tensordot(weights, pixels[first:end].astype(np.float64), 1)
    return out
