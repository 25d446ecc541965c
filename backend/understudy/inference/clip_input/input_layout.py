"""Arrange the items of a clip as a graph's input takes them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from understudy.errors import SpecInvalid
from understudy.inference.runtime.tensor_signature import GraphTensor

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """The position of items in an input: alone [*item], in a batch [n, *item], or with one channel [n, *item, 1].

    `item` holds the sizes that the graph requires, None where it takes any size. `batch` is the batch size that the
    graph requires: 1 for an item alone, None for any size.
    """

    tensor: GraphTensor
    item: tuple[int | None, ...]
    batch: int | None
    batched: bool
    channel: bool

    @classmethod
    def from_tensor(cls, tensor: GraphTensor, item: tuple[int | None, ...]) -> Self:
        """Return the layout of `tensor` for items with the sizes `item`, where None allows any size.

        Raises SpecInvalid when the tensor is not of floating point or has no room for such items.
        """
        shape, rank = tensor.shape, len(item)
        if tensor.dtype is None or tensor.dtype.kind != "f":
            raise SpecInvalid(f"The model's input {tensor} is not of floating point, which audio needs.")
        if len(shape) == rank and (sizes := _merge_sizes(shape, item)):
            return cls(tensor, sizes, batch=1, batched=False, channel=False)
        if len(shape) == rank + 1 and (sizes := _merge_sizes(shape[1:], item)):
            return cls(tensor, sizes, batch=shape[0], batched=True, channel=False)
        if len(shape) == rank + 2 and shape[-1] in (1, None) and (sizes := _merge_sizes(shape[1:-1], item)):
            return cls(tensor, sizes, batch=shape[0], batched=True, channel=True)
        wanted = ", ".join("?" if size is None else str(size) for size in item)
        raise SpecInvalid(f"The model's input {tensor} does not take items of [{wanted}], alone or in a batch.")

    def arrange(self, items: Array) -> NDArray[np.generic]:
        """Return items float32 [n, *item] in the shape and type of the graph's input.

        n is at most `batch`; a batch of fixed size is filled up with zeros.
        """
        if not self.batched:
            items = items[0]
        elif self.batch is not None and len(items) < self.batch:
            items = np.concatenate([items, np.zeros((self.batch - len(items), *items.shape[1:]), np.float32)])
        if self.channel:
            items = items[..., None]
        return np.ascontiguousarray(items, self.tensor.dtype)


def _merge_sizes(shape: tuple[int | None, ...], item: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
    """Return the sizes that satisfy both; None when they contradict each other."""
    if any(size != asked for size, asked in zip(shape, item, strict=True) if None not in (size, asked)):
        return None
    return tuple(asked if size is None else size for size, asked in zip(shape, item, strict=True))
