"""Windows of a stream, and of a recording that is being scored, as JSON."""

import math
from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter

from understudy.schemas.inference.prediction import Window
from understudy.schemas.inference.stream import StreamedWindow

_WINDOWS = TypeAdapter(tuple[StreamedWindow, ...])
_CLIP_WINDOWS = TypeAdapter(tuple[Window, ...])


def encode_windows(windows: Sequence[StreamedWindow]) -> bytes:
    """Return the windows as JSON."""
    return _WINDOWS.dump_json(tuple(windows))


def decode_windows(content: bytes) -> list[StreamedWindow]:
    """Return the windows that the JSON describes.

    Raises ValueError for anything else, for a number that is not finite, and for a window of which only a part is null.
    """
    windows = list(_WINDOWS.validate_json(content))
    _check(windows)
    return windows


def encode_clip_windows(windows: Sequence[Window]) -> bytes:
    """Return the windows of a recording as JSON."""
    return _CLIP_WINDOWS.dump_json(tuple(windows))


def decode_clip_windows(content: bytes, labels: Iterable[str]) -> list[Window]:
    """Return the windows of a recording; raises ValueError as `decode_windows` does, and for other labels."""
    windows = list(_CLIP_WINDOWS.validate_json(content))
    _check(windows)
    named = {
        label for window in windows for label in (*(window.scores or ()), *((window.label,) if window.label else ()))
    }
    if unknown := named.difference(labels):
        raise ValueError(f"windows with unknown labels: {sorted(unknown)}")
    return windows


def _check(windows: Iterable[Window]) -> None:
    for window in windows:
        missing = [value is None for value in (window.label, window.score, window.scores)]
        if any(missing) != all(missing):
            raise ValueError("a window whose label, score and scores are null only in part")
        numbers = [window.start, window.end, *(window.scores or {}).values()]
        if not all(math.isfinite(number) for number in [*numbers, window.score or 0.0]):
            raise ValueError("a window with a number that is not finite")
