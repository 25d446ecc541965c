"""What a decoder offers to a clip."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Values a block, over all channels: half a second to a second of sound, small enough to stay in a core's cache.
BLOCK_VALUES = 1 << 16


class Reader(Protocol):
    """An opened file. `seconds` is the length its header promises, None when it promises none."""

    rate: int
    channels: int
    codec: str
    seconds: float | None

    def iter_blocks(self) -> Iterator[Samples]:
        """Consecutive float32 [frames, channels], full scale at ±1; raises AudioUnusable for damage and early ends."""

    def close(self) -> None:
        """Free the decoder; the file object stays open."""
