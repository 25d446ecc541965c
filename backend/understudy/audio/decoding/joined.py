"""Read recordings that were written one behind another into one file."""

from collections.abc import Callable, Iterator

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import Detected, detect_at
from understudy.audio.decoding.containers.structure import describe_change, describe_trailing
from understudy.audio.decoding.reader import Reader, SoundBlock
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding, FindingCode

MAX_RECORDINGS = 256
"""Most recordings that are read from one file, and places at which the next one is looked for."""

_MAX_FAILURES = 2  # recordings that cannot be decoded, behind which no more are looked for

OpenRecording = Callable[[Source, Detected, Beginnings], Reader]


class JoinedReader:
    """Reads the first recording of a file and those behind it, whatever their containers, rates and channels are."""

    def __init__(self, source: Source, detected: Detected, open_recording: OpenRecording) -> None:
        """Raises what `open_recording` raises for the first recording, unless the one behind it can be decoded."""
        self._source = source
        self._size = detected.size
        self._open = open_recording
        self._beginnings = Beginnings(source, detected.size)
        self._start = detected.start
        self._places = 1
        self._failures = 0
        self._found: list[Finding] = []
        self._seconds = 0.0
        self._reader = self._open_first(detected)
        self.rate = self._reader.rate
        self.channels = self._reader.channels
        self.codec = self._reader.codec
        self.seconds = self._reader.seconds
        self.end: int | None = None

    @property
    def findings(self) -> list[Finding]:
        return self._found

    def iter_blocks(self) -> Iterator[SoundBlock]:
        number = 1
        layout = self.rate, self.channels
        while True:
            counts: dict[int, int] = {}
            for block in self._reader.iter_blocks():
                counts[block.rate] = counts.get(block.rate, 0) + len(block.samples)
                layout = block.rate, block.samples.shape[1]
                yield block
            self._keep_findings(number)
            self._seconds += sum(count / rate for rate, count in counts.items())
            end = self._reader.end
            if end is None or not self._open_following(self._start + end):
                return
            number += 1
            self._found.append(
                Finding(
                    code=FindingCode.JOINED,
                    detail=f"Recording {number} of the file begins at {self._seconds:.2f} s; all were scored as one.",
                    start=self._seconds,
                )
            )
            if (following := (self._reader.rate, self._reader.channels)) != layout:
                self._found.append(describe_change(self._seconds, *following))

    def close(self) -> None:
        self._reader.close()

    def _open_first(self, detected: Detected) -> Reader:
        """Return a reader for the recording that was detected, or for the one behind it where it cannot be decoded."""
        try:
            return self._open(self._source, detected, self._beginnings)
        except AudioUnusable as error:
            place = self._beginnings.find_next(detected.start + 1)
            found = None if place is None else detect_at(self._source, place, self._size)
            if found is None:
                raise
            try:
                following = self._open(self._source, found, self._beginnings)
            except AudioUnusable:
                raise error from None
            content = f"a recording that cannot be decoded ({error.detail.rstrip('.')})"
            self._add_unheard(detected.start, found.start, content)
            self._start = found.start
            return following

    def _open_following(self, offset: int) -> bool:
        """Open the next recording from byte `offset` on; return False where none is left, and note what is skipped."""
        place: int | None = offset
        skipped = offset
        while place is not None and place < self._size:
            detected = detect_at(self._source, place, self._size)
            if detected is None:
                place = self._beginnings.find_behind(place + 1)
                continue
            if self._places >= MAX_RECORDINGS:
                self._add_unheard(skipped, self._size, "more recordings than can be read from one file")
                return False
            self._places += 1
            try:
                following = self._open(self._source, detected, self._beginnings)
            except AudioUnusable as error:
                start = place
                if not self._beginnings.is_at(start):  # it only looks like a recording
                    place = self._beginnings.find_behind(start + 1)
                    continue
                self._failures += 1
                place = self._beginnings.find_next(start + 1) if self._failures < _MAX_FAILURES else None
                self._add_trailing(skipped, start)
                skipped = self._size if place is None else place
                reason = error.detail.rstrip(".")
                self._add_unheard(start, skipped, f"another recording, which cannot be decoded ({reason})")
            else:
                self._add_trailing(skipped, place)
                self._reader.close()
                self._reader, self._start = following, detected.start
                return True
        self._add_trailing(skipped, self._size)
        return False

    def _add_trailing(self, start: int, end: int) -> None:
        if start < end:
            self._found.append(describe_trailing(end - start))

    def _add_unheard(self, start: int, end: int, content: str) -> None:
        where = "The last" if end == self._size else f"From byte {start} on"
        self._found.append(
            Finding(
                code=FindingCode.UNHEARD_STREAM,
                detail=f"{where} {end - start} bytes of the file hold {content}; it was not scored.",
                start=self._seconds,
                bytes=end - start,
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
