"""Describes the inputs and outputs of a session."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GraphTensor:
    """One input or output.

    A dimension of None varies; a `dtype` of None stands for a type that numpy lacks.
    """

    name: str
    dtype: np.dtype[np.generic] | None
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} [{', '.join('?' if size is None else str(size) for size in self.shape)}]"
