"""Read an opened recording as mono samples at a model's sample rate."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from understudy.audio.decoding.audio_limits import AudioLimits
from understudy.audio.decoding.reader import Reader, Samples
from understudy.audio.meter import Meter
from understudy.audio.mono import MonoStream
from understudy.audio.unusable_samples import SampleMender
from understudy.errors import AudioUnusable
from understudy.schemas.front_end.sound import Sound
from understudy.schemas.inference.finding import Finding, describe_damage, limit_findings, list_remedies
from understudy.schemas.inference.prediction import AudioFacts


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
        self._frames = 0
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
        stream = MonoStream(reader.channels, reader.rate, rate, sound)
        try:
            for block in reader.iter_blocks():
                self._frames += len(block)
                self._limits.check_length(self._frames / reader.rate)
                mended = self._mender.mend(block)  # what is not finite cannot be mixed
                self._meter.add(mended)
                self._meter.add_mono(mono := stream.mix(mended))
                if len(out := stream.resample(mono)):
                    yield out
        finally:
            self.close()
        if not self._frames:
            raise AudioUnusable("The recording holds no samples.")
        self._mender.check()
        found = (*reader.findings, *self._mender.findings)
        if self._strict and (damage := describe_damage(found)) is not None:
            raise AudioUnusable(damage, remedy=list_remedies(found))
        self._meter.add_mono(rest := stream.mix_rest())
        for tail in (stream.resample(rest), stream.finish()):
            if len(tail):
                yield tail
        self._louder = stream.find_louder(0.0, self._frames / reader.rate)
        self._finished = True

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
            duration_seconds=self._frames / self._reader.rate,
            sample_rate=self._reader.rate,
            channels=self._reader.channels,
            codec=self._reader.codec,
            level_dbfs=meter.level_dbfs,
            peak_dbfs=meter.peak_dbfs,
            silent=meter.silent,
            clipped=meter.clipped,
        )
