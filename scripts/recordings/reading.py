"""Read a recording as a prediction does, and say what was decoded of it."""

import io
import re
from dataclasses import dataclass

import numpy as np

from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import UnderstudyError

MAX_SECONDS = 600.0
# Words of libraries and of Python that say nothing to the sender of a recording. `ffmpeg -i` is a remedy.
_LIBRARY_WORDS = re.compile(
    r"libsnd|sndfile|libav|avcodec|averror|pyav|\bav\.|errno|invalid data|unspecified|internal error|traceback|"
    r"exception|object at 0x|\bnone\b|\bb'|moov atom|int\(\)|numpy|struct\.|\bnan\b(?!\))|"
    r"\\x[0-9a-f]{2}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Decoded:
    """Describes the decoded recording: seconds, the source's rate in Hz and channels, level in dBFS, codes."""

    seconds: float
    rate: int
    channels: int
    level: float | None
    codes: tuple[str, ...]
    texts: tuple[str, ...]
    finite: bool


def read_recording(body: bytes) -> Decoded | UnderstudyError:
    """Return what was decoded, or the error with which the recording is refused."""
    try:
        with open_clip(io.BytesIO(body), AudioLimits(MAX_SECONDS)) as clip:
            finite = all(bool(np.isfinite(block).all()) for block in clip.iter_blocks(16_000))
            facts = clip.collect_facts()
            findings = clip.collect_findings()
    except UnderstudyError as error:
        return error
    numbers = [facts.duration_seconds, facts.level_dbfs, facts.peak_dbfs]
    numbers += [number for finding in findings for number in (finding.start, finding.end)]
    return Decoded(
        facts.duration_seconds,
        facts.sample_rate,
        facts.channels,
        facts.level_dbfs,
        tuple(sorted({finding.code.value for finding in findings})),
        tuple(finding.detail for finding in findings),
        finite and all(number is None or bool(np.isfinite(number)) for number in numbers),
    )


def find_library_words(decoded: Decoded | UnderstudyError) -> list[str]:
    """Return the words of libraries in what a client reads about the recording."""
    texts = decoded.texts if isinstance(decoded, Decoded) else (decoded.detail, decoded.remedy)
    return [match[0] for text in texts for match in _LIBRARY_WORDS.finditer(text)]
