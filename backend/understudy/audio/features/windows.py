"""Cut a stream into overlapping windows."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.decoding.reader import Samples
from understudy.schemas.compiler.spec import Tail


def compute_tail_padding(total: int, size: int, hop: int) -> int:
    """Return the number of zeros to append so that windows of `size` every `hop` cover all of `total` values.

    There is always at least one window, and no window begins after the end, which matters where `hop` is more than
    `size`. Source: pad_waveform in YAMNet's features.py.
    """
    if total <= size:
        return size - total
    windows = 1 + -(-(total - size) // hop)
    if (windows - 1) * hop >= total:
        windows -= 1
    return max(0, (windows - 1) * hop + size - total)


class Windower:
    """Cuts the first axis of a stream of `rate` values a second into windows of `size` values every `hop` values.

    `total` counts the values so far.
    """

    def __init__(self, size: int, hop: int, rate: float, tail: Tail = Tail.PAD) -> None:
        """`tail` says what happens to values at the end that fill no window.

        Raises ValueError when `size` or `hop` is less than 1.
        """
        if size < 1 or hop < 1:
            raise ValueError(f"window of {size} every {hop}")
        self._size, self._hop, self._rate, self._tail = size, hop, rate, tail
        self._buffer: Samples | None = None
        self._base = 0
        self._next = 0
        self.total = 0

    def push(self, block: NDArray[np.float32]) -> list[tuple[float, Samples]]:
        """Return start in seconds and values float32 [size, …] of each window that `block` float32 [n, …] completes.

        The values are views of a shared array, so the caller must not change them.
        """
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
        """Return the last window; an empty list when every value lies in a window already.

        It is filled up with zeros, left out (unless it is the only one) or kept short, as `tail` says.
        """
        if self._buffer is None:
            self._buffer = np.zeros(0, np.float32)
        padding = compute_tail_padding(self.total, self._size, self._hop)
        if not padding or (self._tail is Tail.DROP and self._next > 0):
            return []
        if self._tail is Tail.KEEP and (rest := self._buffer[self._next - self._base :]).size:
            return [(self._next / self._rate, rest)]
        return self.push(np.zeros((padding, *self._buffer.shape[1:]), np.float32))
