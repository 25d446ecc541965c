"""The interface between a decoder and a clip."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from understudy.schemas.inference.finding import Finding

Samples = NDArray[np.float32]
"""Samples [frames, channels] or [frames], where full scale is 1.0."""

# Values of one block over all channels: about a second of sound, which fits into the cache of a processor core.
BLOCK_VALUES = 1 << 16


@dataclass(frozen=True)
class SoundBlock:
    """Consecutive samples float32 [frames, channels], one frame or more, at `rate` Hz."""

    samples: Samples
    rate: int


class Reader(Protocol):
    """An opened file.

    `rate`, in Hz, and `channels` are those of its start. `seconds` is the shortest length that the header allows; None
    when it does not give one.
    `findings` are complete once all blocks were read. `end`
    is the byte at which the recording ends, and another one may begin; None where that is not known.
    """

    rate: int
    channels: int
    codec: str
    seconds: float | None
    end: int | None

    @property
    def findings(self) -> list[Finding]: ...

    def iter_blocks(self) -> Iterator[SoundBlock]:
        """Yield consecutive blocks with a full scale of 1.0, whose rate and channels may change.

        Ends where nothing more can be decoded, and says so in `findings`.
        """

    def close(self) -> None:
        """Free the decoder; the file object stays open."""
