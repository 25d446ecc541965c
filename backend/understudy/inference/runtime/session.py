"""The interface of a loaded graph, whichever runtime executes it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from understudy.errors.memory_errors import mentions_memory
from understudy.inference.runtime.tensor_signature import GraphTensor

Tensors = Mapping[str, NDArray[Any]]


class RunFailed(Exception):
    """A runtime failed on the given inputs; the message is the runtime's own."""


def to_run_failed(error: Exception) -> RunFailed:
    """Return a runtime's error as RunFailed, which says so in one way when the process had no memory left."""
    message = str(error).strip() or type(error).__name__
    if isinstance(error, MemoryError) or mentions_memory(message):
        return RunFailed(f"it needs more memory than this process may use ({message})")
    return RunFailed(message)


class Session(Protocol):
    """A graph that is ready to run, with its inputs and outputs in their order; several threads may use it at once."""

    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]

    def run(self, outputs: Sequence[str], tensors: Tensors, *, keep_memory: bool = True) -> list[NDArray[Any]]:
        """Return the named outputs for all inputs by name.

        Without `keep_memory` the session frees the memory of this run, which is right where inputs differ in length.
        Raises RunFailed for inputs that the graph does not take, when it fails, and when it is stopped.
        """
        ...

    def stop_runs(self) -> None:
        """Make running runs fail soon, where the runtime can; for another thread than those that run."""
        ...
