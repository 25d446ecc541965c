"""Turn the items of a backbone into what a model on it takes."""

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.arrangement import Arranger
from understudy.audio.features.pooling import pool
from understudy.inference.clip_input.backbone import Backbone
from understudy.inference.clip_input.batch_size import MAX_BATCH
from understudy.schemas.compiler.spec import Spec
from understudy.schemas.front_end.arrangement import Arrangement

Array = NDArray[np.float32]


class BackboneFeatures:
    """Runs the backbone on items, and pools and arranges its rows as the spec says."""

    def __init__(self, backbone: Backbone, spec: Spec, *, grouped: bool) -> None:
        self._backbone = backbone
        self._kind = spec.input
        self._pooling = spec.pooling
        self._arranger = Arranger(spec.arrangement) if spec.arrangement != Arrangement() else None
        self._grouped = grouped

    def encode(self, items: list[Array]) -> Array | list[Array]:
        """Return the model's items: one for each item of the backbone or, grouped, for each array [n, *item] of them.

        Raises CannotServe when the backbone fails.
        """
        if not self._grouped:
            rows = self._backbone.compute(self._kind, np.stack(items))
            return rows if self._arranger is None else [self._arrange(row) for row in rows]
        windows = np.concatenate(items)
        batches = [windows[at : at + MAX_BATCH] for at in range(0, len(windows), MAX_BATCH)]
        rows = np.concatenate([self._backbone.compute(self._kind, batch) for batch in batches])
        ends = np.cumsum([len(item) for item in items])[:-1]
        return [self._arrange(self._pool(own)) for own in np.split(rows, ends)]

    def _pool(self, rows: Array) -> Array:
        return rows if self._pooling is None else pool(rows, self._pooling.statistics)

    def _arrange(self, features: Array) -> Array:
        return features if self._arranger is None else self._arranger.arrange(features)
