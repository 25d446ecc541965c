"""How a graph's input lays out the items that a clip is cut into."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from understudy.errors import SpecInvalid
from understudy.inference.runtime.tensor_signature import Tensor

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """An item may come alone [*item], in a batch [n, *item], or in a batch with one channel [n, *item, 1].

    `batch` is the batch size that the graph insists on: 1 for an item alone, None for any. `item` holds the sizes that
    the graph asks for, None where any will do.
    """

    tensor: Tensor
    item: tuple[int | None, ...]
    batch: int | None
    batched: bool
    channel: bool

    @classmethod
    def from_tensor(cls, tensor: Tensor, item: tuple[int | None, ...]) -> Self:
        """The layout of `tensor` for items of the rank and sizes of `item`; raises SpecInvalid when it has none."""
        shape, rank = tensor.shape, len(item)
        if tensor.dtype is None or tensor.dtype.kind != "f":
            raise SpecInvalid(f"The input {tensor} is not of floating point, as audio needs.")
        if len(shape) == rank and (sizes := _merge_sizes(shape, item)):
            return cls(tensor, sizes, batch=1, batched=False, channel=False)
        if len(shape) == rank + 1 and (sizes := _merge_sizes(shape[1:], item)):
            return cls(tensor, sizes, batch=shape[0], batched=True, channel=False)
        if len(shape) == rank + 2 and shape[-1] in (1, None) and (sizes := _merge_sizes(shape[1:-1], item)):
            return cls(tensor, sizes, batch=shape[0], batched=True, channel=True)
        wanted = ", ".join("?" if size is None else str(size) for size in item)
        raise SpecInvalid(f"The input {tensor} does not take items of [{wanted}], alone or in a batch.")

    def arrange(self, items: Array) -> NDArray[np.generic]:
        """What the graph takes for items [n, *item]; n is at most `batch`, and a fixed batch is filled with zeros."""
        if not self.batched:
            items = items[0]
        elif self.batch is not None and len(items) < self.batch:
            items = np.concatenate([items, np.zeros((self.batch - len(items), *items.shape[1:]), np.float32)])
        if self.channel:
            items = items[..., None]
        return np.ascontiguousarray(items, self.tensor.dtype)


def _merge_sizes(shape: tuple[int | None, ...], item: tuple[int | None, ...]) -> tuple[int | None, ...] | None:
    """The sizes that both agree on; None when they contradict each other."""
    if any(size != asked for size, asked in zip(shape, item, strict=True) if None not in (size, asked)):
        return None
    return tuple(asked if size is None else size for size, asked in zip(shape, item, strict=True))
