"""Find the sound that is missing within a recording, by packets that cannot be decoded and by time stamps."""

from av.audio.frame import AudioFrame

from understudy.schemas.inference.finding import Finding, FindingCode

# Jumps of the time stamps up to this many seconds are rounding, or the jitter of a live recording.
_JITTER = 0.05
# A jump back by more than this many seconds begins another recording.
_RESTART = 0.5


class Losses:
    """Follows the frames of one recording. `timed` means that the container stores time stamps.

    `counted` means that its time stamps count samples, so that they say nothing once the sample rate changes.
    """

    def __init__(self, *, timed: bool, counted: bool) -> None:
        self._timed = timed
        self._counted = counted
        self._rate: int | None = None
        self._expected: float | None = None
        self._damaged = 0
        self._restarted = False
        self._findings: list[Finding] = []
        self.seconds = 0.0
        """Length of the frames so far."""
        self.missing = 0.0
        """Length of the gaps that the time stamps show."""

    def add_damage(self, count: int) -> None:
        """Note `count` bytes of packets before the next frame that could not be decoded."""
        self._damaged += count

    def add_restart(self) -> None:
        """Note that another recording begins with the next frame."""
        self._restarted = True

    def add_lost_start(self, late: float) -> None:
        """Note that `late` seconds of sound before the first frame are missing."""
        self.missing += late
        self._findings.append(_describe_gap(0.0, late, 0))

    def add(self, frame: AudioFrame) -> None:
        """Follow the next decoded frame."""
        self._rate = self._rate or frame.sample_rate
        self._timed = self._timed and not (self._counted and frame.sample_rate != self._rate)
        if self._timed and frame.pts is not None and frame.time_base is not None:
            start = float(frame.pts * frame.time_base)
            if self._expected is not None:
                self._compare(start - self._expected)
            self._expected = start + frame.samples / frame.sample_rate
        elif self._expected is not None:
            self._expected += frame.samples / frame.sample_rate
        self._close_damage(0.0)
        if self._restarted:
            self._add_joined()
        self.seconds += frame.samples / frame.sample_rate

    def describe(self) -> list[Finding]:
        """Return what was found, once all frames were added."""
        self._close_damage(0.0)
        return self._findings

    def _compare(self, jump: float) -> None:
        if jump > _JITTER:
            self._close_damage(jump)
        elif jump < -_RESTART:
            self._add_joined()

    def _add_joined(self) -> None:
        self._restarted = False
        detail = f"Another recording begins at {self.seconds:.2f} s; it was scored as a part of this one."
        self._findings.append(Finding(code=FindingCode.JOINED, detail=detail, start=self.seconds))

    def _close_damage(self, jump: float) -> None:
        if not jump and not self._damaged:
            return
        self.missing += jump
        count, self._damaged = self._damaged, 0
        self._findings.append(_describe_gap(self.seconds, jump, count))


def _describe_gap(start: float, jump: float, count: int) -> Finding:
    """Return the finding for `jump` missing seconds and `count` bytes that could not be decoded, both 0 if unknown."""
    lost = f"{jump:.2f} s of sound are missing" if jump else "Sound is damaged"
    size = f" ({count} bytes could not be decoded)" if count else ""
    return Finding(
        code=FindingCode.GAP,
        detail=f"{lost} at {start:.2f} s{size}; what follows was scored without a pause.",
        start=start,
        end=start + jump if jump else None,
        bytes=count or None,
    )


def merge_findings(structural: list[Finding], lost: list[Finding], seconds: float, promised: float) -> list[Finding]:
    """Return what the container's structure and the frames say, once for each fault.

    The recording has `seconds`, and its header promises `promised` seconds or 0.
    """
    gaps = [finding for finding in structural if finding.code is FindingCode.GAP]
    timed = [finding for finding in lost if finding.code is FindingCode.GAP and finding.end is not None]
    if gaps and len(gaps) == len(timed):
        by_time = {id(late): early for early, late in zip(gaps, timed, strict=True)}
        structural = [finding for finding in structural if finding.code is not FindingCode.GAP]
        lost = [_merge_gap(by_time[id(finding)], finding) if id(finding) in by_time else finding for finding in lost]
    return [add_times(finding, seconds, promised) for finding in structural] + lost


def _merge_gap(structural: Finding, timed: Finding) -> Finding:
    detail = f"{timed.detail} {structural.detail}"
    return timed.model_copy(update={"detail": detail, "bytes": structural.bytes or timed.bytes})


def add_times(finding: Finding, seconds: float, promised: float) -> Finding:
    """Return a finding of `merge_findings`, with the seconds at which the sound ends where it was cut off."""
    if finding.code is not FindingCode.TRUNCATED:
        return finding
    known = promised > seconds
    words = f"; the header promises {promised:.2f} s" if known else ""
    detail = f"{finding.detail} The sound ends at {seconds:.2f} s{words}."
    return finding.model_copy(update={"detail": detail, "start": seconds, "end": promised if known else None})
