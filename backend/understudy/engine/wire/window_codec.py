"""Windows of a stream as JSON."""

import math
from collections.abc import Sequence

from pydantic import TypeAdapter

from understudy.schemas.inference.stream import StreamedWindow

_WINDOWS = TypeAdapter(tuple[StreamedWindow, ...])


def encode_windows(windows: Sequence[StreamedWindow]) -> bytes:
    """Return the windows as JSON."""
    return _WINDOWS.dump_json(tuple(windows))


def decode_windows(content: bytes) -> list[StreamedWindow]:
    """Return the windows that the JSON describes.

    Raises ValueError for anything else, for a number that is not finite, and for a window of which only a part is null.
    """
    windows = list(_WINDOWS.validate_json(content))
    for window in windows:
        missing = [value is None for value in (window.label, window.score, window.scores)]
        if any(missing) != all(missing):
            raise ValueError("a window whose label, score and scores are null only in part")
        numbers = [window.start, window.end, *(window.scores or {}).values()]
        if not all(math.isfinite(number) for number in [*numbers, window.score or 0.0]):
            raise ValueError("a window with a number that is not finite")
    return windows
