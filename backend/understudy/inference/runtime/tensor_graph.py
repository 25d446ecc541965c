"""Run a graph on raw tensors, for one request or for several at once."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CannotServe, RequestInvalid
from understudy.inference.runtime.session import RunFailed, Session, Tensors
from understudy.inference.runtime.tensor_signature import GraphTensor

# A run over more rows may add numbers in another order, which changes the last digits.
_TOLERANCE = 1e-4


class Graph:
    """Runs a session by the names of its inputs and outputs; several threads may use it at once."""

    def __init__(self, session: Session, sample: Tensors) -> None:
        """`sample` holds inputs that the graph takes, such as the recorded ones."""
        self.inputs = {tensor.name: tensor for tensor in session.inputs}
        self._outputs = session.outputs
        self._names = [tensor.name for tensor in self._outputs]
        self._session = session
        self._sample = sample

    def check(self, inputs: Tensors) -> None:
        """Raise RequestInvalid for names, types or shapes that the graph does not take."""
        if inputs.keys() != self.inputs.keys():
            raise RequestInvalid(
                f"The model takes the inputs {sorted(self.inputs)}, and the request gives {sorted(inputs)}."
            )
        for name, array in inputs.items():
            tensor = self.inputs[name]
            if tensor.dtype is not None and array.dtype != tensor.dtype:
                raise RequestInvalid(f"The input {name} must be {tensor.dtype}, and the request gives {array.dtype}.")
            if not _is_accepted(tensor, array.shape):
                raise RequestInvalid(f"The model takes {tensor}, and the request gives {list(array.shape)}.")

    def run(self, inputs: Tensors) -> dict[str, NDArray[Any]]:
        """Return the outputs by name for `inputs` that passed `check`; raises CannotServe when the graph fails."""
        try:
            answers = self._session.run(self._names, inputs)
        except RunFailed as error:
            raise CannotServe(f"The model failed on these inputs: {error}") from error
        return dict(zip(self._names, answers, strict=True))

    def run_together(self, requests: Sequence[Tensors]) -> list[dict[str, NDArray[Any]]]:
        """Return the outputs of each request from one run over the rows of all requests.

        Use it only for a `joinable` graph and for requests whose rows have equal shapes. Raises CannotServe when the
        graph fails or answers with another number of rows.
        """
        joined = {name: np.concatenate([inputs[name] for inputs in requests]) for name in self.inputs}
        outputs = self.run(joined)
        ends = np.cumsum([count_rows(inputs) for inputs in requests])
        if any(len(output) != ends[-1] for output in outputs.values()):
            raise CannotServe(f"The model's outputs do not have the {ends[-1]} rows of its inputs.")
        parts = [np.split(outputs[name], ends[:-1]) for name in self._names]
        return [dict(zip(self._names, own, strict=True)) for own in zip(*parts, strict=True)]

    @cached_property
    def joinable(self) -> bool:
        """True when requests may share a run, because each row gives the same outputs as it does alone.

        Inputs and outputs must leave their first dimension open. Two different rows must give the same outputs together
        as each of them alone, which is not so where a graph normalizes over its batch. The first access runs the graph.
        """
        tensors = (*self.inputs.values(), *self._outputs)
        if any(not tensor.shape or tensor.shape[0] is not None for tensor in tensors):
            return False
        if self._sample.keys() != self.inputs.keys() or any(not array.size for array in self._sample.values()):
            return False
        first = {name: array[:1] for name, array in self._sample.items()}
        second = {name: np.roll(array, 1, axis=-1) for name, array in first.items()}
        try:
            alone, together = [self.run(first), self.run(second)], self.run_together([first, second])
        except CannotServe:
            return False
        return all(
            _is_close(own[name], joined[name])
            for own, joined in zip(alone, together, strict=True)
            for name in self._names
        )

    @property
    def known_joinable(self) -> bool:
        """True when `joinable` was asked for and is true; runs nothing."""
        return bool(self.__dict__.get("joinable", False))


def count_rows(inputs: Tensors) -> int:
    """Return the length of the first dimension, which all inputs of a joinable graph share."""
    return len(next(iter(inputs.values())))


def _is_close(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.dtype.kind not in "biuf":
        return np.array_equal(one, other)
    return one.shape == other.shape and np.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE)


def _is_accepted(tensor: GraphTensor, shape: tuple[int, ...]) -> bool:
    return len(shape) == len(tensor.shape) and all(
        asked is None or asked == given for asked, given in zip(tensor.shape, shape, strict=True)
    )
