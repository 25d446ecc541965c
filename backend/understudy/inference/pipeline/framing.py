"""Cut a clip into the items that a model takes: windows of samples, log-mel patches, or the whole clip."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.log_mel import compute_log_mel
from understudy.audio.features.patches import PatchStream
from understudy.audio.features.windows import Windower
from understudy.errors import AudioTooLong, SpecInvalid
from understudy.inference.pipeline.input_layout import Layout
from understudy.inference.runtime.tensor_signature import GraphTensor
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
    """Takes the blocks of one clip and returns items, each with its start in seconds.

    `total` counts the samples so far.
    """

    total: int

    def push(self, block: Array) -> list[tuple[float, Array]]:
        """Return the items that `block` float32 [n] completes."""

    def finish(self) -> list[tuple[float, Array]]:
        """Return the items that the end of the clip completes, filled up with zeros."""


class WholeClip:
    """Gives the clip as one item.

    The item is the samples float32 [n] or, with `features`, the log-mel frames float32 [frames, 64].
    """

    def __init__(self, rate: int, max_seconds: float, *, features: bool) -> None:
        self._rate, self._max_seconds, self._features = rate, max_seconds, features
        self._blocks: list[Array] = []
        self.total = 0

    def push(self, block: Array) -> list[tuple[float, Array]]:
        """Keep `block`; raises AudioTooLong when the clip exceeds the limit for models that take a whole clip."""
        self.total += len(block)
        if self.total > self._max_seconds * self._rate:
            raise AudioTooLong(
                f"The model takes the whole clip at once, and this one is longer than {self._max_seconds:g} s.",
                remedy="Send a shorter clip, add `window_seconds` to the model's spec, or raise "
                "UNDERSTUDY_MAX_WHOLE_CLIP_SECONDS on the server.",
            )
        self._blocks.append(block)
        return []

    def finish(self) -> list[tuple[float, Array]]:
        """Return the clip as one item that begins at 0 s; a clip shorter than one frame is filled up with zeros."""
        clip = np.concatenate(self._blocks)
        if self._features:
            clip = compute_log_mel(np.pad(clip, (0, max(0, FRAME_SAMPLES - len(clip)))))
        return [(0.0, clip)]


@dataclass(frozen=True)
class Framing:
    """Size and hop of the windows that a model takes.

    `rate` is the sample rate in Hz. `size` and `hop` count samples for waveforms and log-mel frames for every other
    input; a `size` of None means that the model takes the whole clip.
    """

    kind: InputKind
    rate: int
    size: int | None
    hop: int

    @property
    def window_seconds(self) -> float | None:
        """Length of one window in seconds; None for the whole clip."""
        if self.size is None:
            return None
        return self.size / (self.rate if self.kind is InputKind.WAVEFORM else _FRAMES_PER_SECOND)

    @property
    def hop_seconds(self) -> float:
        """Seconds from the start of one window to the start of the next."""
        return self.hop / (self.rate if self.kind is InputKind.WAVEFORM else _FRAMES_PER_SECOND)

    def make_cutter(self, max_seconds: float) -> Cutter:
        """Return a new cutter for one clip; `max_seconds` limits only clips that the model takes whole."""
        waveform = self.kind is InputKind.WAVEFORM
        if self.size is None:
            return WholeClip(self.rate, max_seconds, features=not waveform)
        return Windower(self.size, self.hop, self.rate) if waveform else PatchStream(self.size, self.hop)


def choose_framing(spec: Spec, tensor: GraphTensor) -> tuple[Framing, Layout]:
    """Return how clips are cut for the graph's input `tensor`, and how the items lie in it.

    A window size that the graph fixes is used where the spec leaves the window open. Raises SpecInvalid when the graph
    does not take the input that the spec names, or when both fix different window sizes.
    """
    if spec.input is not InputKind.WAVEFORM and spec.sample_rate != SAMPLE_RATE:
        raise SpecInvalid(
            f"A model on YAMNet's features takes sound at {SAMPLE_RATE} Hz, and the spec says {spec.sample_rate} Hz."
        )
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
            raise SpecInvalid("A tensor model takes no audio, so a clip cannot be cut for it.")


def _choose_window(spec: Spec, fixed: int | None, rate: float) -> tuple[int | None, int]:
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
