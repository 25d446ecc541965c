"""How a clip is cut into the items that a model takes."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.log_mel import compute_log_mel
from understudy.audio.features.patches import PatchStream
from understudy.audio.features.windows import Windower
from understudy.errors import AudioTooLong, SpecInvalid
from understudy.inference.pipeline.input_layout import Layout
from understudy.inference.runtime.tensor_signature import Tensor
from understudy.schemas.compiler.spec import InputKind, Spec
from understudy.yamnet.constants import (
    CLASS_COUNT,
    EMBEDDING_SIZE,
    FRAME_HOP_SAMPLES,
    FRAME_SAMPLES,
    MEL_BANDS,
    PATCH_FRAMES,
    PATCH_HOP_FRAMES,
    SAMPLE_RATE,
)

Array = NDArray[np.float32]
_FRAMES_PER_SECOND = SAMPLE_RATE / FRAME_HOP_SAMPLES


class Cutter(Protocol):
    """Takes a clip's blocks; gives items with their start in seconds. `total` counts the samples so far."""

    total: int

    def push(self, block: Array) -> list[tuple[float, Array]]: ...
    def finish(self) -> list[tuple[float, Array]]: ...


class WholeClip:
    """The clip as one item: its samples, or its log-mel frames."""

    def __init__(self, rate: int, max_seconds: float, *, features: bool) -> None:
        self._rate, self._max_seconds, self._features = rate, max_seconds, features
        self._blocks: list[Array] = []
        self.total = 0

    def push(self, block: Array) -> list[tuple[float, Array]]:
        """Raises AudioTooLong past the limit for models that take the clip at once."""
        self.total += len(block)
        if self.total > self._max_seconds * self._rate:
            raise AudioTooLong(
                f"The model takes the whole clip at once, and this one is longer than {self._max_seconds:g} s.",
                remedy="Give the model's spec a window, send a shorter clip, or raise "
                "UNDERSTUDY_MAX_WHOLE_CLIP_SECONDS.",
            )
        self._blocks.append(block)
        return []

    def finish(self) -> list[tuple[float, Array]]:
        clip = np.concatenate(self._blocks)
        if self._features:
            clip = compute_log_mel(np.pad(clip, (0, max(0, FRAME_SAMPLES - len(clip)))))
        return [(0.0, clip)]


@dataclass(frozen=True)
class Framing:
    """`size` and `hop` of a window count samples at `rate`, or log-mel frames of a patch; None is the whole clip."""

    kind: InputKind
    rate: int
    size: int | None
    hop: int

    @property
    def window_seconds(self) -> float | None:
        if self.size is None:
            return None
        return self.size / (self.rate if self.kind is InputKind.WAVEFORM else _FRAMES_PER_SECOND)

    @property
    def hop_seconds(self) -> float:
        return self.hop / (self.rate if self.kind is InputKind.WAVEFORM else _FRAMES_PER_SECOND)

    def make_cutter(self, max_seconds: float) -> Cutter:
        """A fresh cutter for one clip; `max_seconds` bounds whole clips only."""
        waveform = self.kind is InputKind.WAVEFORM
        if self.size is None:
            return WholeClip(self.rate, max_seconds, features=not waveform)
        return Windower(self.size, self.hop, self.rate) if waveform else PatchStream(self.size, self.hop)


def choose_framing(spec: Spec, tensor: Tensor) -> tuple[Framing, Layout]:
    """How clips are cut for the graph's input, and how items lie in it.

    A size that the graph fixes wins over the spec's when that leaves the window open. Raises SpecInvalid when the
    graph does not take what the spec says, or insists on another window.
    """
    if spec.input is not InputKind.WAVEFORM and spec.sample_rate != SAMPLE_RATE:
        raise SpecInvalid(f"A model on YAMNet's features hears {SAMPLE_RATE} Hz, and the spec says {spec.sample_rate}.")
    match spec.input:
        case InputKind.WAVEFORM:
            layout = Layout.from_tensor(tensor, (None,))
            return Framing(
                spec.input, spec.sample_rate, *_choose_window(spec, layout.item[0], spec.sample_rate)
            ), layout
        case InputKind.LOG_MEL_PATCH:
            layout = Layout.from_tensor(tensor, (None, MEL_BANDS))
            return Framing(spec.input, SAMPLE_RATE, *_choose_window(spec, layout.item[0], _FRAMES_PER_SECOND)), layout
        case InputKind.EMBEDDING | InputKind.SCORES:
            layout = Layout.from_tensor(tensor, (EMBEDDING_SIZE if spec.input is InputKind.EMBEDDING else CLASS_COUNT,))
            _, hop = _choose_window(spec, PATCH_FRAMES, _FRAMES_PER_SECOND)
            return Framing(spec.input, SAMPLE_RATE, PATCH_FRAMES, hop), layout
        case InputKind.TENSOR:
            raise SpecInvalid("A tensor model has no framing.")


def _choose_window(spec: Spec, fixed: int | None, rate: float) -> tuple[int | None, int]:
    """Size and hop of the windows in steps of 1 / `rate` seconds."""
    asked = None if spec.window_seconds is None else max(1, round(spec.window_seconds * rate))
    if None not in (asked, fixed) and asked != fixed:
        raise SpecInvalid(
            f"The model's windows are {fixed} steps of 1/{rate:g} s long, and the spec's window of "
            f"{spec.window_seconds:g} s is {asked}."
        )
    size = asked if fixed is None else fixed
    if spec.hop_seconds is not None:
        return size, max(1, round(spec.hop_seconds * rate))
    return size, PATCH_HOP_FRAMES if size == PATCH_FRAMES else size or 1
