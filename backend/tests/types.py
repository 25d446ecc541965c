"""Types that fixtures and tests share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class ModelFactory(Protocol):
    """Writes a small ONNX model and returns its file."""

    def __call__(
        self, path: Path, *, winner: int = 0, labels: Sequence[str] | None = ("a", "b", "c"), sensitive: bool = False
    ) -> Path: ...
