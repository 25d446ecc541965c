"""Mix channels down to one, and keep to one channel where the mix would cancel the sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.audio.decoding.reader import Samples
from understudy.schemas.front_end.sound import Channels
from understudy.schemas.inference.finding import Finding, FindingCode

FRAME_SECONDS = 0.05
DECISION_FRAMES = 10  # a decision looks at this many frames: the frame itself and those before it
FADE_SECONDS = 0.01
# Power of the mix, relative to the power that the mix of unrelated channels with the same levels has.
CANCELS_BELOW = 1 / 16  # -12 dB: two channels x and -0.7 x
RECOVERS_ABOVE = 1 / 4  # -6 dB
# -80 dBFS. A stretch whose louder channel stays below changes nothing.
_FLOOR = 1e-8
# The channel in use gives way to one that is 10 dB louder.
_GIVES_WAY = 0.1
# Stretches that are kept; of a recording with more, the last one reaches to the end of all.
_MOST_STRETCHES = 20

_Energies = NDArray[np.float64]


@dataclass(frozen=True)
class LouderChannel:
    """A stretch, in seconds, in which one channel was used instead of the mean; `channel` counts from 0."""

    start: float
    end: float
    channel: int

    def cut(self, start: float, end: float) -> "LouderChannel":
        """Return the part between `start` and `end` seconds."""
        return LouderChannel(max(self.start, start), min(self.end, end), self.channel)

    def move(self, seconds: float) -> "LouderChannel":
        """Return the same stretch so many seconds later."""
        return LouderChannel(self.start + seconds, self.end + seconds, self.channel)

    def to_finding(self, channels: int, *, timed: bool) -> Finding:
        """Return what a reader of the answer must know of this stretch of a recording of so many `channels`.

        `timed` names the times in the sentence too.
        """
        when = f" from {self.start:.2f} to {self.end:.2f} s" if timed else ""
        return Finding(
            code=FindingCode.CHANNELS_CANCEL,
            detail=f"The channels cancel each other{when}, so channel {self.channel + 1} of {channels}, the loudest, "
            "was scored there instead of the mean of all.",
            start=self.start,
            end=self.end,
        )


class ChannelMixer:
    """Mixes blocks of a recording or stream; the result does not depend on how the samples are cut into blocks.

    `Channels.AUTO` gives the mean, unless the channels cancel each other: then it gives the louder channel. The mix
    cancels when its power lies more than 12 dB below the power that unrelated channels of the same levels would give,
    over the half second that ends with a frame of 50 ms; the first half second is decided as one. The louder channel
    is used until the mix is no more than 6 dB below that power, and each change fades over 10 ms. Constant offsets do
    not count. A frame is given out when it is complete, and the first half second all at once.
    """

    def __init__(self, channels: int, rate: int, handling: Channels = Channels.AUTO) -> None:
        self.louder: list[LouderChannel] = []
        self._weights = np.full(channels, 1 / channels, np.float32)
        self._first = handling is Channels.FIRST or channels == 1
        self._watched = handling is Channels.AUTO and channels > 1
        self._rate = rate
        self._frame = max(1, round(rate * FRAME_SECONDS))
        self._fade = max(1, round(rate * FADE_SECONDS))
        self._held: list[tuple[Samples, Samples]] = []  # blocks and their means, not yet given out
        self._held_frames = 0
        self._done = 0
        self._past = np.zeros((0, 2, channels + 1))  # sums and energies of earlier frames; the last column: of the mean
        self._chosen: int | None = None

    def mix(self, block: Samples) -> Samples:
        """Return mono samples float32 [m] for a block float32 [n, channels]; up to half a second is held back."""
        # A matrix product, because numpy's mean over a short last axis is ten times slower.
        mono = block[:, 0] if self._first else block @ self._weights
        if not self._watched:
            return mono
        self._held.append((block, mono))
        self._held_frames += len(block)
        needed = self._frame if self._done else self._frame * DECISION_FRAMES
        if self._held_frames < needed:
            return mono[:0]
        block, mono = self._take()
        whole = len(block) // self._frame * self._frame
        if whole < len(block):
            self._held, self._held_frames = [(block[whole:], mono[whole:])], len(block) - whole
        return self._give_out(block[:whole], mono[:whole], self._frame)

    def finish(self) -> Samples:
        """Return the samples float32 [m] that are held back; an incomplete frame is treated as the one before it."""
        if not self._held:
            return np.zeros(0, np.float32)
        block, mono = self._take()
        if not self._done:  # shorter than the first decision: decided as one
            return self._give_out(block, mono, len(block))
        return self._apply(block, mono, self._chosen, fades=False)

    def _take(self) -> tuple[Samples, Samples]:
        blocks, means = zip(*self._held, strict=True)
        self._held, self._held_frames = [], 0
        return (blocks[0], means[0]) if len(blocks) == 1 else (np.concatenate(blocks), np.concatenate(means))

    def _give_out(self, block: Samples, mono: Samples, size: int) -> Samples:
        """Decide frame by frame, each of `size` samples."""
        powers = self._measure(block, mono, size)
        loudest = powers[:, :-1].max(axis=1)
        audible = loudest > _FLOOR
        # The mean of unrelated channels has 1 / channels^2 of the sum of their powers.
        expected = powers[:, :-1].sum(axis=1) / len(self._weights) ** 2
        share = np.divide(powers[:, -1], expected, out=np.ones_like(expected), where=audible)
        if self._chosen is None and not (audible & (share < CANCELS_BELOW)).any():
            self._done += len(block)
            return mono
        parts = []
        for index in range(len(powers)):
            before, place = self._chosen, slice(index * size, (index + 1) * size)
            if audible[index]:
                self._choose(powers[index, :-1], float(share[index]))
            parts.append(self._apply(block[place], mono[place], before, fades=bool(self._done)))
        return np.concatenate(parts)

    def _measure(self, block: Samples, mono: Samples, size: int) -> _Energies:
        """Return the variance of each channel and of the mean, float64 [frames, channels + 1], over the past frames."""
        columns = [*(np.ascontiguousarray(block[:, index]) for index in range(block.shape[1])), mono]
        frames = [column.reshape(-1, size) for column in columns]
        sums = np.stack(
            [np.stack([own.sum(axis=1), np.einsum("fs,fs->f", own, own)], axis=1) for own in frames], axis=2
        )
        joined = np.concatenate([self._past, sums.astype(np.float64)])
        width = min(DECISION_FRAMES, len(joined))
        windows = np.lib.stride_tricks.sliding_window_view(joined, width, axis=0).mean(axis=-1) / size
        first = np.repeat(windows[:1], len(sums) - len(windows), axis=0)  # the frames that are decided as one
        self._past = joined[-(DECISION_FRAMES - 1) :]
        means, squares = np.moveaxis(np.concatenate([first, windows]), 1, 0)
        return np.asarray(np.maximum(squares - means**2, 0), np.float64)

    def _choose(self, powers: _Energies, share: float) -> None:
        """Choose what the next frame gives: the mean or one channel."""
        loudest = int(powers.argmax())
        if self._chosen is None:
            if share < CANCELS_BELOW:
                self._chosen = loudest
        elif share > RECOVERS_ABOVE:
            self._chosen = None
        elif powers[self._chosen] < _GIVES_WAY * powers[loudest]:
            self._chosen = loudest

    def _apply(self, block: Samples, mono: Samples, before: int | None, *, fades: bool) -> Samples:
        """Return the next samples as chosen; they fade from what was chosen `before`."""
        chosen = self._chosen
        start, self._done = self._done, self._done + len(block)
        if chosen is not None:
            self._note(LouderChannel(start / self._rate, self._done / self._rate, chosen))
        signal = mono if chosen is None else block[:, chosen]
        if before == chosen or not fades:
            return signal
        earlier = (mono if before is None else block[:, before])[: self._fade]
        ramp = np.linspace(0, 1, len(earlier) + 2, dtype=np.float32)[1:-1]
        faded = earlier + (signal[: self._fade] - earlier) * ramp
        return np.concatenate([faded, signal[self._fade :]])

    def _note(self, new: LouderChannel) -> None:
        last = self.louder[-1] if self.louder else None
        if last is not None and (
            len(self.louder) == _MOST_STRETCHES or (last.channel == new.channel and last.end == new.start)
        ):
            self.louder[-1] = LouderChannel(last.start, new.end, last.channel)
        else:
            self.louder.append(new)
