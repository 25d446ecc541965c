"""A page of memory in which a worker says what it runs, and its server how many cores nobody needs."""

import fcntl
import mmap
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

_SIZE = 4096
_STARTED, _COUNT, _DECODING, _BESIDE, _SPARE, _FIRST = 0, 1, 2, 3, 4, 5
_MOST = _SIZE // 8 - _FIRST


@dataclass(frozen=True)
class RunningStep:
    """Requests of a step, its start in seconds on the clock of `time.monotonic`, and whether it decodes a recording."""

    requests: tuple[int, ...]
    started: float
    decoding: bool


class StepPage:
    """Shared by two processes; it stays readable when the worker has died. Implements `StepWatch` in the worker."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, _SIZE)
        self._words = memoryview(self._map).cast("Q")
        self._counting = Lock()

    @staticmethod
    def create() -> int:
        """Return the descriptor of a new page, whose length is fixed.

        A page that the worker shortened would end the server, which reads it, by SIGBUS.
        """
        descriptor = os.memfd_create("understudy-step", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, _SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        return descriptor

    @contextmanager
    def step(self, requests: Sequence[int], *, decoding: bool = False) -> Iterator[None]:
        """Note the requests, and whether the step decodes, while the block runs."""
        words = self._words
        for index, request in enumerate(requests[:_MOST], _FIRST):
            words[index] = request
        words[_COUNT] = min(len(requests), _MOST)
        words[_DECODING] = decoding
        words[_STARTED] = time.monotonic_ns()
        try:
            yield
        finally:
            words[_STARTED] = 0

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Count the block as a run beside the steps."""
        self._count_beside(1)
        try:
            yield
        finally:
            self._count_beside(-1)

    @property
    def runs_beside(self) -> int:
        """Number of runs beside the steps; of those that ran when the worker died."""
        return self._words[_BESIDE]

    @property
    def spare_cores(self) -> int:
        """Number of cores that nobody needs, beside the worker's own; the server sets it."""
        return self._words[_SPARE]

    @spare_cores.setter
    def spare_cores(self, cores: int) -> None:
        self._words[_SPARE] = cores

    def read(self) -> RunningStep | None:
        """Return the step that runs, or that ran when the worker died; None between two steps."""
        started, count = self._words[_STARTED], self._words[_COUNT]
        if not started:
            return None
        requests = tuple(self._words[_FIRST : _FIRST + min(count, _MOST)])
        return RunningStep(requests, started / 1e9, bool(self._words[_DECODING]))

    def _count_beside(self, more: int) -> None:
        with self._counting:
            self._words[_BESIDE] += more

    def close(self) -> None:
        self._words.release()
        self._map.close()
