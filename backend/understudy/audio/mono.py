"""Convert a source's channels and sample rate to mono at a model's sample rate."""

from collections.abc import Callable

import numpy as np
import soxr

from understudy.audio.channel_mixer import ChannelMixer
from understudy.audio.decoding.reader import Samples
from understudy.schemas.front_end.sound import Channels, Resampler, Sound
from understudy.schemas.inference.finding import Finding

_STEPS_16_BIT = np.float32(32768)


class MonoStream:
    """Mixes the channels down to one and resamples block by block.

    `rate` is the source's sample rate and `target` the model's, both in Hz. Equal rates are not resampled. `sound` says
    which channels count, whether samples are rounded to 16 bits, and the resampler (soxr's HQ preset without `sound`);
    its other steps are not applied here.
    """

    def __init__(self, channels: int, rate: int, target: int, sound: Sound | None = None) -> None:
        """Prepare the stream; `sound` names no resampler in WHOLE_SIGNAL unless the rates are equal."""
        self._channels = channels
        self._mixer = ChannelMixer(channels, rate, sound.channels if sound else Channels.AUTO)
        self._round = sound is not None and sound.round_to_16_bit
        self._convert, self._end = _build_resampler(rate, target, sound.resampler if sound else Resampler.SOXR_HQ)

    def find_louder(self, start: float, end: float, *, timed: bool = True, offset: float = 0.0) -> list[Finding]:
        """Return a finding for each stretch between `start` and `end` seconds in which one channel stands for all.

        `timed` names the times in its sentence too; `offset` is the second at which the stream began.
        """
        inside = [each.cut(start, end) for each in self._mixer.louder if each.start < end and each.end > start]
        return [each.move(offset).to_finding(self._channels, timed=timed) for each in inside]

    def forget_louder(self, before: float) -> None:
        """Forget the stretches that end before a time in seconds; a stream that lasts has more than are kept."""
        self._mixer.louder[:] = [each for each in self._mixer.louder if each.end > before]

    def mix(self, block: Samples) -> Samples:
        """Return mono samples float32 [m] for a block float32 [n, channels]; up to half a second is held back.

        One channel, and `sound.channels` "mean" and "first", hold nothing back.
        """
        return self._round_samples(self._mixer.mix(block))

    def mix_rest(self) -> Samples:
        """Return the mono samples float32 [m] that `mix` holds back; then there are none."""
        return self._round_samples(self._mixer.finish())

    def _round_samples(self, mono: Samples) -> Samples:
        return np.clip(np.rint(mono * _STEPS_16_BIT), -32768, 32767) / _STEPS_16_BIT if self._round else mono

    def resample(self, mono: Samples) -> Samples:
        """Return the samples float32 [n] at the target rate that `mono` float32 [m] completes.

        The resampler holds back the last few milliseconds until more samples arrive or `finish` is called.
        """
        return self._convert(mono) if len(mono) else mono

    def finish(self) -> Samples:
        """Return the samples float32 [n] that mixing and resampling still hold."""
        if len(rest := self.mix_rest()):
            return np.concatenate([self.resample(rest), self._end()])
        return self._end()


def _build_resampler(
    rate: int, target: int, resampler: Resampler
) -> tuple[Callable[[Samples], Samples], Callable[[], Samples]]:
    """Return the functions that convert the next samples and that give the last ones."""
    empty = np.zeros(0, np.float32)
    if rate == target:
        return lambda mono: mono, lambda: empty
    if resampler is Resampler.SOXR_HQ:
        soxr_stream = soxr.ResampleStream(rate, target, 1, dtype="float32", quality="HQ")
        return soxr_stream.resample_chunk, lambda: soxr_stream.resample_chunk(empty, last=True)
    from understudy.audio.sound.block_resampling import BlockResampler  # few models need it

    stream = BlockResampler(rate, target, resampler)
    return stream.resample, stream.finish
