"""Puts silence in the place of samples that are no sound: not a number, infinite, or far beyond full scale."""

import numpy as np

from understudy.audio.decoding.audio_limits import ABSURD_PEAK
from understudy.audio.decoding.reader import Samples
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import MOST_FINDINGS, Finding, FindingCode

# Where more of the samples lie above that level the file as a whole has another scale.
_MOST_ABSURD = 0.001
# A stream is judged once it has lasted this long, and by more samples, so that a fault of a moment does not end it.
_STREAM_SECONDS, _MOST_ABSURD_IN_STREAM = 10.0, 0.01
_JOIN_SECONDS = 0.1  # stretches that are closer than this count as one


class SampleMender:
    """Replaces samples of consecutive blocks and remembers where, so that one damaged sample costs no recording."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._frames = 0
        self._samples = 0
        self._replaced = 0
        self._absurd = 0
        self._largest = 0.0
        self._origin = 0.0
        self._stretches: list[tuple[float, float, int]] = []  # the seconds between which samples were replaced, samples

    def begin_part(self, rate: int) -> None:
        """Expect blocks of another sample rate from now on."""
        self._origin += self._frames / self._rate
        self._rate, self._frames = rate, 0

    def mend(self, block: Samples) -> Samples:
        """Return the block float32 [frames, channels], copied where samples had to be replaced by silence."""
        start, self._frames, self._samples = self._frames, self._frames + len(block), self._samples + block.size
        if not block.size or max(float(block.max()), -float(block.min())) <= ABSURD_PEAK:  # False for NaN too
            return block
        magnitudes = np.abs(block)
        wrong = ~(magnitudes <= ABSURD_PEAK)
        absurd = wrong & np.isfinite(block)
        if absurd.any():
            self._absurd += int(absurd.sum())
            self._largest = max(self._largest, float(magnitudes[absurd].max()))
        self._replaced += int(wrong.sum())
        self._note(start, wrong)
        return np.where(wrong, np.float32(0), block)

    def check(self) -> None:
        """Raise AudioUnusable, after the last block, for a recording without usable samples or of another scale."""
        if self._absurd > _MOST_ABSURD * self._samples:
            raise AudioUnusable(
                f"The recording's samples reach {self._largest:.3g} times full scale.",
                remedy="Divide the samples by the full scale of their integers (32768 for 16 bits) and save again.",
            )
        if self._replaced and self._replaced == self._samples:
            raise AudioUnusable("The recording holds only samples that are infinite or not numbers (NaN).")

    def check_stream(self, *, ended: bool = False) -> None:
        """Raise AudioUnusable for a stream without usable samples or of another scale, once it is long enough to tell.

        `ended` means that no more samples come, so that the stream is judged by what there is.
        """
        if not self._replaced or (self._frames < _STREAM_SECONDS * self._rate and not ended):
            return
        if self._absurd > _MOST_ABSURD_IN_STREAM * self._samples:
            raise AudioUnusable(
                f"The stream's samples reach {self._largest:.3g} times full scale.",
                remedy="Divide the samples by the full scale of their integers (32768 for 16 bits), or send integers: "
                '"encoding": "pcm16".',
            )
        if self._replaced == self._samples:
            raise AudioUnusable(
                "The stream holds only samples that are infinite or not numbers (NaN).",
                remedy="Send little-endian float32 samples between -1 and 1, and check the program that makes them. "
                "Then open the stream again.",
            )

    def find_replaced(self, start: float, end: float) -> list[Finding]:
        """Return the finding of a window between two times in seconds in which silence stands for samples, if any.

        Its sentence names no times, because a stream may count from another second.
        """
        stretches = [each for each in self._stretches if each[0] < end and each[1] > start]
        if not stretches:
            return []
        detail = (
            f"Samples are infinite, not a number (NaN) or more than {ABSURD_PEAK:g} times full scale; silence was "
            "scored in their place."
        )
        first, last = max(start, stretches[0][0]), min(end, stretches[-1][1])
        return [Finding(code=FindingCode.GAP, detail=detail, start=first, end=last)]

    def forget_replaced(self, before: float) -> None:
        """Forget the stretches that end before a time in seconds; a stream that lasts has more than are kept."""
        self._stretches = [each for each in self._stretches if each[1] > before]

    @property
    def findings(self) -> list[Finding]:
        """Return the stretches that were replaced, as findings of the kind `gap`."""
        found = []
        for start, stop, samples in self._stretches:
            what = "1 sample is" if samples == 1 else f"{samples} samples are"
            detail = (
                f"From {start:.2f} to {stop:.2f} s {what} infinite, not a number (NaN) or more than {ABSURD_PEAK:g} "
                "times full scale; silence was scored in their place."
            )
            found.append(Finding(code=FindingCode.GAP, detail=detail, start=start, end=stop))
        return found

    def _note(self, start: int, wrong: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
        """Remember the stretches of a block; behind those that an answer lists, one stretch takes the rest."""
        frames = np.flatnonzero(wrong.any(axis=1))
        counts = wrong.sum(axis=1)
        join = round(_JOIN_SECONDS * self._rate)
        for part in np.split(frames, np.flatnonzero(np.diff(frames) > join) + 1):
            first = self._origin + (start + int(part[0])) / self._rate
            end = self._origin + (start + int(part[-1]) + 1) / self._rate
            samples = int(counts[part].sum())
            if self._stretches and (
                first - self._stretches[-1][1] <= _JOIN_SECONDS or len(self._stretches) >= MOST_FINDINGS
            ):
                begin, _, before = self._stretches.pop()
                self._stretches.append((begin, end, before + samples))
            else:
                self._stretches.append((first, end, samples))
