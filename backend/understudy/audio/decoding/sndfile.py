"""Decode wav, aiff and flac with libsndfile."""

from collections.abc import Iterator

import numpy as np
import soundfile

from understudy.audio.decoding.audio_limits import check_layout
from understudy.audio.decoding.detect_container import ContainerFormat
from understudy.audio.decoding.reader import BLOCK_VALUES, Samples
from understudy.audio.decoding.source_file import Source, Stream
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding

_CODECS = {
    "PCM_S8": "pcm_s8",
    "PCM_U8": "pcm_u8",
    "PCM_16": "pcm_s16",
    "PCM_24": "pcm_s24",
    "PCM_32": "pcm_s32",
    "FLOAT": "pcm_f32",
    "DOUBLE": "pcm_f64",
    "ULAW": "pcm_mulaw",
    "ALAW": "pcm_alaw",
}
# SF_COUNT_MAX: libsndfile's frame count when a header does not give one.
_COUNT_MAX = 0x7FFF_FFFF_FFFF_FFFF


class SndfileReader:
    """Reads a seekable file object; scales integer samples to [-1, 1) and keeps float samples as they are."""

    def __init__(self, source: Source, kind: ContainerFormat) -> None:
        """Open `source`.

        Raises AudioUnusable when libsndfile cannot read the header, or when the sample rate or the channel count is
        out of range.
        """
        self.findings: list[Finding] = []
        self._name = kind.value
        try:
            self._file = soundfile.SoundFile(Stream(source))
        except soundfile.LibsndfileError as error:
            raise AudioUnusable(f"The {kind} file cannot be read: {error.error_string}") from error
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.codec: str = (
            "flac" if kind is ContainerFormat.FLAC else _CODECS.get(self._file.subtype, self._file.subtype.lower())
        )
        self._promised: int | None = self._file.frames if self._file.frames != _COUNT_MAX else None
        try:
            check_layout(self.rate, self.channels)
        except AudioUnusable:
            self.close()
            raise
        self.seconds: float | None = None if self._promised is None else self._promised / self.rate

    def iter_blocks(self) -> Iterator[Samples]:
        frames = max(256, BLOCK_VALUES // self.channels)
        done = 0
        while True:
            block = np.empty((frames, self.channels), np.float32)
            try:
                read = len(self._file.read(out=block))
            except soundfile.LibsndfileError as error:
                raise AudioUnusable(
                    f"The {self._name} file is damaged or cut off after {done / self.rate:.2f} s of sound."
                ) from error
            done += read
            if read:
                yield block[:read]
            if read < frames:
                break
        if self._promised is not None and done < self._promised:
            raise AudioUnusable(
                f"The {self._name} file promises {self._promised / self.rate:.2f} s of sound "
                f"and ends after {done / self.rate:.2f} s."
            )

    def close(self) -> None:
        self._file.close()
