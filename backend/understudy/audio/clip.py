"""Read an opened recording as mono samples at a model's sample rate."""

from collections.abc import Iterator
from itertools import groupby
from types import TracebackType
from typing import Self

from understudy.audio.decoding.audio_limits import AudioLimits
from understudy.audio.decoding.reader import Reader, Samples, SoundBlock
from understudy.audio.meter import Meter
from understudy.audio.mono import MonoStream
from understudy.audio.unusable_samples import SampleMender
from understudy.errors import AudioUnusable
from understudy.schemas.front_end.sound import Resampler, Sound
from understudy.schemas.inference.finding import Finding, describe_damage, limit_findings, list_remedies
from understudy.schemas.inference.prediction import AudioFacts


def _describe_layout(block: SoundBlock) -> tuple[int, int]:
    return block.rate, block.samples.shape[1]


class Clip:
    """An opened recording that is read once, from start to end, in bounded memory.

    The samples keep their level: no gain is applied.
    """

    def __init__(self, reader: Reader, limits: AudioLimits, *, strict: bool = False) -> None:
        """`strict` makes reading raise AudioUnusable for a finding of damage."""
        self._reader = reader
        self._limits = limits
        self._strict = strict
        self._meter = Meter(reader.channels)
        self._mender = SampleMender(reader.rate)
        self._counts: dict[int, int] = {}
        self._part_start = 0.0
        self._louder: list[Finding] = []
        self._finished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the decoder; needed only for a clip that is not read to its end."""
        self._reader.close()

    @property
    def rate(self) -> int:
        """The recording's own sample rate in Hz."""
        return self._reader.rate

    def iter_blocks(self, rate: int, sound: Sound | None = None) -> Iterator[Samples]:
        """Yield the recording as consecutive blocks float32 [samples], mono, at `rate` Hz.

        A source at another rate is resampled with soxr's HQ preset. `sound` chooses channels and rounding. The caller
        may iterate once; the end of the iteration closes the decoder. Raises AudioTooLong as soon as the recording
        passes the limit, and AudioUnusable when the file is damaged, ends early, holds no samples, or holds none
        that is a number of its scale. Single samples that are not are replaced by silence, with a finding.
        """
        reader = self._reader
        try:
            for (source_rate, channels), blocks in groupby(reader.iter_blocks(), key=_describe_layout):
                stream = self._begin_part(source_rate, channels, rate, sound)
                for block in blocks:
                    self._counts[source_rate] = self._counts.get(source_rate, 0) + len(block.samples)
                    self._limits.check_length(self._seconds)
                    mended = self._mender.mend(block.samples)  # what is not finite cannot be mixed
                    self._meter.add(mended)
                    self._meter.add_mono(mono := stream.mix(mended))
                    if len(out := stream.resample(mono)):
                        yield out
                yield from self._finish_part(stream)
        finally:
            self.close()
        if not self._counts:
            raise AudioUnusable("The recording holds no samples.")
        self._mender.check()
        found = (*reader.findings, *self._mender.findings)
        if self._strict and (damage := describe_damage(found)) is not None:
            raise AudioUnusable(damage, remedy=list_remedies(found))
        self._finished = True

    @property
    def _seconds(self) -> float:
        """Length of the blocks so far."""
        return sum(count / rate for rate, count in self._counts.items())

    def _begin_part(self, rate: int, channels: int, target: int, sound: Sound | None) -> MonoStream:
        """Return a stream for the next part of the recording, which has its own rate and channels."""
        self._part_start = self._seconds
        self._mender.begin_part(rate)
        self._meter.begin_part(channels, self.rate / rate)
        if sound is not None and rate != target == self.rate:  # the caller converts the whole recording behind this
            sound = sound.model_copy(update={"resampler": Resampler.SOXR_HQ})
        return MonoStream(channels, rate, target, sound)

    def _finish_part(self, stream: MonoStream) -> Iterator[Samples]:
        """Yield the samples that a part's stream still holds."""
        self._meter.add_mono(rest := stream.mix_rest())
        for tail in (stream.resample(rest), stream.finish()):
            if len(tail):
                yield tail
        self._louder += stream.find_louder(0.0, self._seconds - self._part_start, offset=self._part_start)

    def collect_findings(self) -> tuple[Finding, ...]:
        """Return what was found about the recording.

        Raises RuntimeError when `iter_blocks` has not been read to its end.
        """
        if not self._finished:
            raise RuntimeError("collect_findings() before the clip was read to its end")
        return limit_findings((*self._reader.findings, *self._mender.findings, *self._louder))

    def collect_facts(self) -> AudioFacts:
        """Return length, format and level of the recording.

        Raises RuntimeError when `iter_blocks` has not been read to its end.
        """
        if not self._finished:
            raise RuntimeError("collect_facts() before the clip was read to its end")
        meter = self._meter
        return AudioFacts(
            duration_seconds=self._seconds,
            sample_rate=self._reader.rate,
            channels=self._reader.channels,
            codec=self._reader.codec,
            level_dbfs=meter.level_dbfs,
            peak_dbfs=meter.peak_dbfs,
            silent=meter.silent,
            clipped=meter.clipped,
        )
