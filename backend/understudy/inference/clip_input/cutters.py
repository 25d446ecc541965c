"""Cut the samples of a clip into the items that a model takes."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.log_mel import compute_log_mel
from understudy.errors import AudioTooLong
from understudy.yamnet.constants import FRAME_SAMPLES

Array = NDArray[np.float32]
CutItems = list[tuple[float, Array]]


class Cutter(Protocol):
    """Takes the blocks of one clip and returns items, each with its start in seconds."""

    @property
    def total(self) -> int:
        """Number of samples so far."""

    def push(self, block: Array) -> CutItems:
        """Return the items that `block` float32 [n] completes."""

    def finish(self) -> CutItems:
        """Return the items that the end of the clip completes, filled up with zeros."""


class WholeClip:
    """Gives the clip as one item.

    The item is the samples float32 [n] or, with `log_mel`, the log-mel frames float32 [frames, 64].
    """

    def __init__(self, rate: int, max_seconds: float, *, log_mel: bool = False) -> None:
        self._rate, self._max_seconds, self._log_mel = rate, max_seconds, log_mel
        self._blocks: list[Array] = []
        self.total = 0

    def push(self, block: Array) -> CutItems:
        """Keep `block`; raises AudioTooLong when the clip exceeds the limit for models that take a whole clip."""
        self.total += len(block)
        if self.total > self._max_seconds * self._rate:
            raise build_whole_clip_too_long(self._max_seconds)
        self._blocks.append(block)
        return []

    def finish(self) -> CutItems:
        """Return the clip as one item that begins at 0 s; a clip shorter than one frame is filled up with zeros."""
        clip = np.concatenate(self._blocks)
        if self._log_mel:
            clip = compute_log_mel(np.pad(clip, (0, max(0, FRAME_SAMPLES - len(clip)))))
        return [(0.0, clip)]


class ExtractingCutter:
    """Cuts samples and computes each item from its samples float32 [n]."""

    def __init__(self, inner: Cutter, extract: Callable[[Array], Array]) -> None:
        self._inner = inner
        self._extract = extract

    @property
    def total(self) -> int:
        """Number of samples so far."""
        return self._inner.total

    def push(self, block: Array) -> CutItems:
        return [(start, self._extract(samples)) for start, samples in self._inner.push(block)]

    def finish(self) -> CutItems:
        return [(start, self._extract(samples)) for start, samples in self._inner.finish()]


def build_whole_clip_too_long(max_seconds: float) -> AudioTooLong:
    """Return the error for a clip that is longer than what a model may take at once."""
    return AudioTooLong(
        f"The model takes the whole clip at once, and this one is longer than {max_seconds:g} s.",
        remedy="Send a shorter clip, add `window_seconds` to the model's spec, or raise "
        "UNDERSTUDY_MAX_WHOLE_CLIP_SECONDS on the server.",
    )
