"""Says which requests the running step belongs to, so that whoever watches the process knows them when it ends."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class StepWatch(Protocol):
    """Is told of every step: a piece of decoding, or one run of a graph."""

    def step(self, requests: Sequence[int], *, decoding: bool = False) -> AbstractContextManager[None]:
        """Return a context for one step on the worker thread; `requests` are the numbers of the requests it serves.

        `decoding` says that the step decodes a recording and runs no model.
        """
        ...

    def beside(self) -> AbstractContextManager[None]:
        """Return a context for one run of a graph on another thread than the worker thread."""
        ...

    @property
    def spare_cores(self) -> int:
        """Number of cores that nobody needs, beside the one of the worker thread."""
        ...


class NoWatch:
    """For a process that nobody watches."""

    def step(self, requests: Sequence[int], *, decoding: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def beside(self) -> AbstractContextManager[None]:
        return nullcontext()

    @property
    def spare_cores(self) -> int:
        return 0
