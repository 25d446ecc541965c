"""Decode the compressed sound of wav, aiff and au files, such as ADPCM and GSM, with libsndfile."""

from collections.abc import Iterator

import numpy as np
import soundfile

from understudy.audio.decoding.audio_limits import check_layout
from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.losses import add_times
from understudy.audio.decoding.reader import BLOCK_VALUES, SoundBlock
from understudy.audio.decoding.source_file import Source, Stream, measure_size
from understudy.audio.decoding.wav_codecs import CONVERT
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding, FindingCode

# SF_COUNT_MAX: libsndfile's frame count when a header does not give one.
_COUNT_MAX = 0x7FFF_FFFF_FFFF_FFFF


class SndfileReader:
    """Reads a seekable file object; scales integer samples to [-1, 1) and keeps float samples as they are."""

    def __init__(self, source: Source, kind: ContainerFormat, codec: str, most_frames: int = _COUNT_MAX) -> None:
        """Open `source`, whose header calls its codec `codec`; it holds `most_frames` frames at most.

        Raises AudioUnusable when libsndfile cannot read the header, or when the sample rate or the channel count is
        out of range.
        """
        self.findings: list[Finding] = []
        self._name = kind.value
        measured = measure_size(source)  # libsndfile reads from where the file stands
        try:
            self._file = soundfile.SoundFile(Stream(source))
        except soundfile.LibsndfileError as error:
            raise AudioUnusable(
                f"The sound in the {kind} file is encoded with {codec}, which is not decoded here, or the file is "
                "damaged.",
                remedy=CONVERT,
            ) from error
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.codec: str = self._file.subtype.lower()
        self.end: int | None = measured
        self._most = most_frames
        promised = min(self._file.frames, most_frames)
        self._promised: int | None = promised if promised != _COUNT_MAX else None
        try:
            check_layout(self.rate, self.channels)
        except AudioUnusable:
            self.close()
            raise
        self.seconds: float | None = None if self._promised is None else self._promised / self.rate

    def iter_blocks(self) -> Iterator[SoundBlock]:
        frames = max(256, BLOCK_VALUES // self.channels)
        done = 0
        while True:
            block = np.empty((frames, self.channels), np.float32)
            try:
                read = len(self._file.read(out=block))
            except soundfile.LibsndfileError:
                read = 0
            read = min(read, self._most - done)
            done += read
            if read:
                yield SoundBlock(block[:read], self.rate)
            if read < frames:
                break
        self.findings = [add_times(each, done / self.rate, 0.0) for each in self.findings]
        known = any(finding.code is FindingCode.TRUNCATED for finding in self.findings)
        if self._promised is not None and done < self._promised and not known:
            self.findings.append(
                Finding(
                    code=FindingCode.TRUNCATED,
                    detail=f"The header of the {self._name} file promises {self._promised / self.rate:.2f} s of sound, "
                    f"and {done / self.rate:.2f} s could be decoded: it is cut off, or damaged.",
                    start=done / self.rate,
                    end=self._promised / self.rate,
                )
            )

    def close(self) -> None:
        self._file.close()
