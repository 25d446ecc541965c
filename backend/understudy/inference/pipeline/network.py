"""Run a model's graph on the items of a clip and return their scores."""

import numpy as np
from numpy.typing import NDArray

from understudy.errors import CannotServe, SpecInvalid
from understudy.inference.clip_input.input_layout import Layout
from understudy.inference.pipeline.scoring import activate, aggregate
from understudy.inference.runtime.session import RunFailed, Session
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.schemas.compiler.spec import OutputActivation, Spec

Array = NDArray[np.float32]


class Network:
    """Computes one row of scores for each item; several threads may use it at once."""

    def __init__(
        self,
        session: Session,
        layout: Layout,
        spec: Spec,
        graph_activation: OutputActivation,
        *,
        whole_clips: bool,
    ) -> None:
        """`graph_activation` is the activation that the graph contains; the spec's is applied only where it has none.

        `whole_clips` means that items differ in length from call to call. Raises SpecInvalid when no output of the
        graph has one value for each label.
        """
        self._session = session
        self._layout = layout
        self._spec = spec
        self._output, self._width = _choose_output(session.outputs, spec)
        self._activation = spec.activation if graph_activation is OutputActivation.NONE else OutputActivation.NONE
        self._keep_memory = not whole_clips  # else the session keeps the memory of the longest clip

    def score(self, items: Array) -> Array:
        """Return scores float32 [n, labels] for items float32 [n, *item].

        An item that holds NaN, or for which the graph's output holds a value that is not finite, has NaN for all its
        scores. Raises CannotServe when the graph fails, or when its output has an unexpected shape.
        """
        size = self._layout.batch or len(items)
        parts = [self._score_batch(items[start : start + size]) for start in range(0, len(items), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _score_batch(self, items: Array) -> Array:
        feed = {self._layout.tensor.name: self._layout.arrange(items)}
        try:
            [raw] = self._session.run([self._output.name], feed, keep_memory=self._keep_memory)
        except RunFailed as error:
            raise CannotServe(f"The model failed on an input of shape {list(items.shape)}: {error}") from error
        rows = self._to_rows(np.asarray(raw, np.float32), len(items))
        known = np.isfinite(rows).all(axis=(1, 2)) & ~np.isnan(items.reshape(len(items), -1)).any(axis=1)
        if known.all():
            return self._to_scores(rows)
        scores = np.full((len(items), len(self._spec.labels)), np.nan, np.float32)
        if known.any():
            scores[known] = self._to_scores(rows[known])
        return scores

    def _to_scores(self, rows: Array) -> Array:
        """Return scores float32 [n, labels] of finite logits float32 [n, rows, outputs]."""
        scores = activate(rows, self._activation)
        if self._width < len(self._spec.labels):  # one output for two labels: the probability of the second
            scores = np.concatenate([1 - scores, scores], axis=-1)
        if scores.shape[1] == 1:
            return scores[:, 0]
        return np.stack([aggregate(own, self._spec.aggregation, self._spec.top_k) for own in scores])

    def _to_rows(self, raw: Array, count: int) -> Array:
        """Return the output as logits float32 [n, rows, labels].

        A model that cuts its input into frames itself answers with several rows for each item.
        """
        labels = self._width
        filled = self._layout.batch or count
        if raw.ndim >= 1 and raw.shape[-1] == labels and raw.size:
            if raw.ndim == 3 and raw.shape[0] == filled:
                return raw[:count]
            if raw.ndim == 2 and raw.shape[0] == filled:
                return raw[:count, None]
            if raw.ndim <= 2 and filled == 1:
                return raw.reshape(1, -1, labels)
        raise CannotServe(
            f"The model's output {self._output.name} has the shape {list(raw.shape)} for {filled} inputs "
            f"and {len(self._spec.labels)} labels."
        )


def _choose_output(outputs: tuple[GraphTensor, ...], spec: Spec) -> tuple[GraphTensor, int]:
    """Return the first floating-point output with one value for each label, and the number of its values.

    Without one, return the first output of one value where the spec has two labels and `otherwise`, or the first of
    unknown width. Raises SpecInvalid when there is none.
    """
    labels = len(spec.labels)
    binary = labels == 2 and spec.otherwise is not None
    for width in (labels, *([1] if binary else []), None):
        for output in outputs:
            if output.shape and output.shape[-1] == width and output.dtype is not None and output.dtype.kind == "f":
                return output, width or labels
    made = " and ".join(map(str, outputs))
    raise SpecInvalid(f"The spec names {labels} labels, but the model's outputs are {made}.")
