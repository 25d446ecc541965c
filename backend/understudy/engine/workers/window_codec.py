"""Windows of a stream as JSON."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from understudy.schemas.inference.prediction import Window

_WINDOWS = TypeAdapter(tuple[Window, ...])


def encode_windows(windows: Sequence[Window]) -> bytes:
    """Return the windows as JSON."""
    return _WINDOWS.dump_json(tuple(windows))


def decode_windows(content: bytes) -> list[Window]:
    """Return the windows that the JSON describes. Raises ValueError for anything else."""
    return list(_WINDOWS.validate_json(content))
