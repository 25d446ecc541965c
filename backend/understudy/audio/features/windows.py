"""Cut a stream into overlapping windows."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.decoding.reader import Samples


def compute_tail_padding(total: int, size: int, hop: int) -> int:
    """Zeros that Google's YAMNet appends so that windows of `size` every `hop` cover all of `total` (pad_waveform).

    At least one window exists. Where `hop` exceeds `size`, no window begins after the end.
    """
    if total <= size:
        return size - total
    windows = 1 + -(-(total - size) // hop)
    if (windows - 1) * hop >= total:
        windows -= 1
    return max(0, (windows - 1) * hop + size - total)


class Windower:
    """Windows of `size` values every `hop` along the first axis of a stream of `rate` values a second."""

    def __init__(self, size: int, hop: int, rate: float) -> None:
        if size < 1 or hop < 1:
            raise ValueError(f"window of {size} every {hop}")
        self._size, self._hop, self._rate = size, hop, rate
        self._buffer: Samples | None = None
        self._base = 0
        self._next = 0
        self.total = 0

    def push(self, block: NDArray[np.float32]) -> list[tuple[float, Samples]]:
        """Start in seconds and view [size, …] of every window that is complete with `block` [n, …]."""
        held = self._buffer
        data = block if held is None or not len(held) else np.concatenate([held, block])
        self.total += len(block)
        ready = []
        while self._next + self._size <= self.total:
            offset = self._next - self._base
            ready.append((self._next / self._rate, data[offset : offset + self._size]))
            self._next += self._hop
        used = min(self._next, self.total) - self._base
        self._buffer = data[used:].copy()
        self._base += used
        return ready

    def finish(self) -> list[tuple[float, Samples]]:
        """The last window, filled up with zeros, where `compute_tail_padding` asks for one."""
        if self._buffer is None:
            self._buffer = np.zeros(0, np.float32)
        padding = compute_tail_padding(self.total, self._size, self._hop)
        return self.push(np.zeros((padding, *self._buffer.shape[1:]), np.float32)) if padding else []
