"""Read recordings that were written one behind another into one file."""

from collections.abc import Callable, Iterator

from understudy.audio.decoding.containers.detect_container import Detected, detect_container
from understudy.audio.decoding.containers.structure import describe_trailing
from understudy.audio.decoding.reader import Reader, Samples
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioUnusable, NotAudio
from understudy.schemas.inference.finding import Finding, FindingCode

MAX_RECORDINGS = 64
"""Most recordings that are read from one file."""

OpenRecording = Callable[[Source, Detected], Reader]


class JoinedReader:
    """Reads the first recording of a file and those behind it that have its sample rate and channels."""

    def __init__(self, source: Source, detected: Detected, open_recording: OpenRecording) -> None:
        """Raises what `open_recording` raises for the first recording."""
        self._source = source
        self._size = detected.size
        self._open = open_recording
        self._reader = open_recording(source, detected)
        self._start = detected.start
        self._found: list[Finding] = []
        self._seconds = 0.0
        self.rate = self._reader.rate
        self.channels = self._reader.channels
        self.codec = self._reader.codec
        self.seconds = self._reader.seconds
        self.end: int | None = None

    @property
    def findings(self) -> list[Finding]:
        return self._found

    def iter_blocks(self) -> Iterator[Samples]:
        for number in range(1, MAX_RECORDINGS + 1):
            frames = 0
            for block in self._reader.iter_blocks():
                frames += len(block)
                yield block
            self._keep_findings(number)
            self._seconds += frames / self.rate
            end = self._reader.end
            if end is None or (offset := self._start + end) >= self._size:
                return
            if not self._open_following(offset, number):
                return
        self._add_unheard(offset, "more recordings than can be read from one file")

    def close(self) -> None:
        self._reader.close()

    def _open_following(self, offset: int, number: int) -> bool:
        """Open the recording at byte `offset`; where that cannot be, note why and return False."""
        try:
            detected = detect_container(self._source, offset)
            following = self._open(self._source, detected)
        except NotAudio:
            self._found.append(describe_trailing(self._size - offset))
            return False
        except AudioUnusable as error:
            self._add_unheard(offset, f"another recording, which cannot be decoded ({error.detail.rstrip('.')})")
            return False
        if (following.rate, following.channels) != (self.rate, self.channels):
            following.close()
            self._add_unheard(offset, f"another recording with {following.rate} Hz and {following.channels} channel(s)")
            return False
        self._reader.close()
        self._reader, self._start = following, detected.start
        self._found.append(
            Finding(
                code=FindingCode.JOINED,
                detail=f"Recording {number + 1} of the file begins at {self._seconds:.2f} s; all were scored as one.",
                start=self._seconds,
            )
        )
        return True

    def _add_unheard(self, offset: int, content: str) -> None:
        self._found.append(
            Finding(
                code=FindingCode.UNHEARD_STREAM,
                detail=f"The last {self._size - offset} bytes of the file hold {content}; it was not scored.",
                start=self._seconds,
                bytes=self._size - offset,
            )
        )

    def _keep_findings(self, number: int) -> None:
        """Keep what the current reader found, with times from the start of the file."""
        for finding in self._reader.findings:
            if number > 1:
                moved = {
                    name: None if value is None else value + self._seconds
                    for name, value in (("start", finding.start), ("end", finding.end))
                }
                detail = f"In recording {number}: {finding.detail}"
                finding = finding.model_copy(update={**moved, "detail": detail})
            self._found.append(finding)
