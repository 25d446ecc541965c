"""The interface of a backbone: an embedding model that several models share."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from understudy.inference.clip_input.framing import Framing
from understudy.schemas.compiler.spec import InputKind, Spec

Array = NDArray[np.float32]


class BackboneFrontEnd(Protocol):
    """Turns samples into the items of a backbone, one for each of its windows."""

    def choose_framing(self, spec: Spec, *, grouped: bool) -> Framing:
        """Return how clips are cut for a model on the backbone, whose spec is `spec`.

        An item is that of one window of the backbone or, grouped, all items of one window of the model. Raises
        SpecInvalid when the spec asks for another rate or other windows than the backbone takes.
        """

    def cut(self, samples: Array, rate: int) -> Array:
        """Return the items float32 [n, *item] of `samples` float32 [t] at `rate` Hz; n is at least 1."""


class Backbone(Protocol):
    """Computes one row of values from each item; several threads may use it at once.

    `digest` is a SHA-256 over everything that the rows depend on.
    """

    digest: str

    @property
    def front_end(self) -> BackboneFrontEnd: ...

    def compute(self, kind: InputKind, items: Array) -> Array:
        """Return embeddings or scores, as `kind` says, float32 [n, width] of `items` float32 [n, *item].

        Raises CannotServe when the graph fails.
        """

    def stop_runs(self) -> None:
        """Make running runs fail soon, where the runtime can."""

    def warm_up(self) -> None:
        """Run the graph once, and do nothing at a later call; raises WarmUpFailed when it fails or answers wrongly."""
