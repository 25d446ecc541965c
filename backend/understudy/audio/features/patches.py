"""Cut a stream into log-mel patches."""

import numpy as np

from understudy.audio.decoding.reader import Samples
from understudy.audio.features.log_mel import LogMel
from understudy.audio.features.windows import Windower, compute_tail_padding
from understudy.schemas.compiler.spec import Tail
from understudy.yamnet.constants import (
    FRAME_HOP_SAMPLES,
    FRAME_SAMPLES,
    PATCH_FRAMES,
    PATCH_HOP_FRAMES,
    SAMPLE_RATE,
)


class PatchStream:
    """Cuts a stream at 16 kHz into patches of `frames` log-mel frames; a patch begins every `hop` frames.

    A frame that several patches share is computed once. `total` counts the samples so far. The end of the waveform is
    padded with zeros, as Google's YAMNet pads it, so that every sample lies in a patch.
    """

    def __init__(self, frames: int = PATCH_FRAMES, hop: int = PATCH_HOP_FRAMES, tail: Tail = Tail.PAD) -> None:
        self._features = LogMel()
        self._windower = Windower(frames, hop, SAMPLE_RATE / FRAME_HOP_SAMPLES)
        self._size, self._hop = (frames - 1) * FRAME_HOP_SAMPLES + FRAME_SAMPLES, hop * FRAME_HOP_SAMPLES
        self._tail = tail
        self._cut_one = False
        self.total = 0

    def push(self, samples: Samples) -> list[tuple[float, Samples]]:
        """Return start in seconds and values float32 [frames, 64] of each patch that `samples` float32 [n] complete."""
        self.total += len(samples)
        patches = self._windower.push(self._features.push(samples))
        self._cut_one = self._cut_one or bool(patches)
        return patches

    def finish(self) -> list[tuple[float, Samples]]:
        """Return the last patch, filled up with zeros; an empty list when every sample lies in a patch already.

        With Tail.DROP only a clip without any whole patch is filled up.
        """
        if self._tail is Tail.DROP and self._cut_one:
            return []
        padding = compute_tail_padding(self.total, self._size, self._hop)
        return self._windower.push(self._features.push(np.zeros(padding, np.float32)))
