"""Choose how a clip is cut for a model: windows of samples, log-mel patches, or the whole clip."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.patches import PatchStream
from understudy.audio.features.windows import Windower
from understudy.errors import SpecInvalid
from understudy.inference.clip_input.cutters import Cutter, ExtractingCutter, WholeClip
from understudy.schemas.compiler.spec import InputSpec, Tail
from understudy.yamnet.constants import FRAME_HOP_SAMPLES, PATCH_FRAMES, PATCH_HOP_FRAMES, SAMPLE_RATE

Array = NDArray[np.float32]


class Extract(Protocol):
    """Computes a model's item float32 from mono samples float32 [n] at `rate` Hz."""

    def __call__(self, samples: Array, rate: int) -> Array: ...


_FRAMES_PER_SECOND = SAMPLE_RATE / FRAME_HOP_SAMPLES


class Framing(Protocol):
    """Size and hop of the windows that a model takes."""

    @property
    def rate(self) -> int | None:
        """The sample rate in Hz; None for the recording's own."""

    @property
    def window_seconds(self) -> float | None:
        """Length of one window; None for the whole clip."""

    @property
    def hop_seconds(self) -> float:
        """Seconds from the start of one window to the start of the next."""

    def make_cutter(self, max_seconds: float, rate: int) -> Cutter:
        """Return a new cutter for one clip at `rate` Hz; `max_seconds` limits only clips that are taken whole."""


@dataclass(frozen=True)
class SampleFraming:
    """Windows of samples. `extract` computes the item from the samples of a window and their rate in Hz."""

    rate: int | None
    window_seconds: float | None
    hop_seconds: float
    tail: Tail = Tail.PAD
    extract: Extract | None = None

    def make_cutter(self, max_seconds: float, rate: int) -> Cutter:
        cutter: Cutter
        if self.window_seconds is None:
            cutter = WholeClip(rate, max_seconds)
        else:
            size, hop = (max(1, round(seconds * rate)) for seconds in (self.window_seconds, self.hop_seconds))
            cutter = Windower(size, hop, rate, self.tail)
        return cutter if self.extract is None else ExtractingCutter(cutter, partial(self.extract, rate=rate))


@dataclass(frozen=True)
class PatchFraming:
    """Patches of `frames` log-mel frames every `hop` frames; the whole clip where `frames` is None."""

    frames: int | None
    hop: int
    tail: Tail = Tail.PAD

    @property
    def rate(self) -> int:
        return SAMPLE_RATE

    @property
    def window_seconds(self) -> float | None:
        return None if self.frames is None else self.frames / _FRAMES_PER_SECOND

    @property
    def hop_seconds(self) -> float:
        return self.hop / _FRAMES_PER_SECOND

    def make_cutter(self, max_seconds: float, rate: int) -> Cutter:
        if self.frames is None:
            return WholeClip(rate, max_seconds, log_mel=True)
        return PatchStream(self.frames, self.hop, self.tail)


def choose_sample_framing(spec: InputSpec, fixed: int | None, extract: Extract | None = None) -> SampleFraming:
    """Return the framing of a model on windows of samples; `fixed` is the number of samples that its graph requires.

    Raises SpecInvalid when spec and graph fix different sizes.
    """
    rate = None if spec.sample_rate == "file" else spec.sample_rate
    if rate is None:
        if fixed is not None:
            raise SpecInvalid(
                f"The model takes windows of {fixed} samples, so the spec cannot take the recording's own sample rate.",
                remedy="Set `sample_rate` in the spec to the rate that the model was trained with.",
            )
        window = spec.window_seconds
        return SampleFraming(None, window, spec.hop_seconds or window or 1.0, spec.tail, extract)
    size, hop = choose_window(spec, fixed, rate)
    return SampleFraming(rate, None if size is None else size / rate, hop / rate, spec.tail, extract)


def choose_patch_framing(spec: InputSpec, fixed: int | None) -> PatchFraming:
    """Return the framing of a model on log-mel patches; `fixed` is the number of frames that its graph requires.

    Raises SpecInvalid for another rate than YAMNet's, and when spec and graph fix different sizes.
    """
    require_yamnet_rate(spec)
    size, hop = choose_window(spec, fixed, _FRAMES_PER_SECOND)
    return PatchFraming(size, hop, spec.tail)


def require_yamnet_rate(spec: InputSpec) -> None:
    """Raises SpecInvalid for another sample rate than YAMNet's."""
    if spec.sample_rate != SAMPLE_RATE:
        raise SpecInvalid(
            f"A model on YAMNet's features takes sound at {SAMPLE_RATE} Hz, and the spec says {spec.sample_rate} Hz."
        )


def choose_window(spec: InputSpec, fixed: int | None, rate: float) -> tuple[int | None, int]:
    """Return size and hop of the windows in steps of 1 / `rate` seconds; `fixed` is the graph's own size."""
    asked = None if spec.window_seconds is None else max(1, round(spec.window_seconds * rate))
    if None not in (asked, fixed) and asked != fixed:
        raise SpecInvalid(
            f"The model takes windows of {fixed} steps of 1/{rate:g} s, and the spec's window of "
            f"{spec.window_seconds:g} s has {asked} steps.",
            remedy=f"Set `window_seconds` to {(fixed or 0) / rate:g} in the spec, or leave it out.",
        )
    size = asked if fixed is None else fixed
    if spec.hop_seconds is not None:
        return size, max(1, round(spec.hop_seconds * rate))
    return size, PATCH_HOP_FRAMES if size == PATCH_FRAMES else size or 1
