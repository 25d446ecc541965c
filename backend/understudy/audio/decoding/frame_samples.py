"""Read the samples of FFmpeg's frames."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

from understudy.audio.decoding.reader import Samples

_TYPES = {"u8p": "u1", "s16p": "i2", "s32p": "i4", "s64p": "i8", "fltp": "f4", "dblp": "f8"}
# PyAV's own stubs leave out the constructor.
open_plane = cast("Callable[[AudioFrame, int], Any]", AudioPlane)


def to_float(frame: AudioFrame) -> Samples:
    """Convert a frame of any sample format to float32 [frames, channels] with a full scale of 1.0.

    Unsigned 8-bit samples are shifted by 128; signed integers of b bits are divided by 2^(b - 1). Planar formats give a
    transposed view.
    """
    if frame.format.is_planar:
        samples = _read_planes(frame).T
    else:
        samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - np.float32(128)) / np.float32(128)
    if np.issubdtype(samples.dtype, np.integer):
        return samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    return samples.astype(np.float32, copy=False)


def _read_planes(frame: AudioFrame) -> NDArray[np.generic]:
    """Return the samples [channels, frames] of a planar frame.

    `AudioFrame.planes` counts the planes up to the first empty pointer, and behind more than eight of them none is
    written: it then reads other memory, which ended the process.
    """
    stored = _TYPES[frame.format.name]
    planes = (open_plane(frame, channel) for channel in range(frame.layout.nb_channels))
    return np.stack([np.frombuffer(plane, stored, frame.samples) for plane in planes])
