"""A model's graph as a function from items of a clip to scores."""

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from understudy.errors import CannotServe, SpecInvalid
from understudy.inference.pipeline.input_layout import Layout
from understudy.inference.pipeline.scoring import activate, aggregate
from understudy.inference.runtime.onnx_session import ORT_ERRORS
from understudy.inference.runtime.tensor_signature import Tensor, read_outputs
from understudy.schemas.compiler.spec import OutputActivation, Spec

Array = NDArray[np.float32]


class Network:
    """Scores of items, one row an item; safe to run from several threads at once."""

    def __init__(
        self,
        session: ort.InferenceSession,
        layout: Layout,
        spec: Spec,
        graph_activation: OutputActivation,
        *,
        whole_clips: bool,
    ) -> None:
        """`whole_clips`: items differ in length from call to call.

        Raises SpecInvalid when no output is as wide as the spec's labels are many.
        """
        self._session = session
        self._layout = layout
        self._spec = spec
        self._output = _choose_output(read_outputs(session), len(spec.labels))
        self._activation = spec.activation if graph_activation is OutputActivation.NONE else OutputActivation.NONE
        self._run_options = ort.RunOptions()
        if whole_clips:  # else the session's arena keeps the memory of the longest one
            self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def score(self, items: Array) -> Array:
        """Scores float32 [n, labels] of items float32 [n, *item].

        Raises CannotServe when the graph fails or answers with anything but finite numbers of the promised shape.
        """
        size = self._layout.batch or len(items)
        parts = [self._score_batch(items[start : start + size]) for start in range(0, len(items), size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _score_batch(self, items: Array) -> Array:
        feed = {self._layout.tensor.name: self._layout.arrange(items)}
        try:
            [raw] = self._session.run([self._output.name], feed, self._run_options)
        except ORT_ERRORS as error:
            raise CannotServe(f"The model failed on an input of {list(items.shape)}: {error}") from error
        rows = self._to_rows(np.asarray(raw, np.float32), len(items))
        if not np.isfinite(rows).all():
            raise CannotServe(
                "The model answered with values that are not numbers (NaN) or infinite.",
                remedy="Test the original model on this clip; it overflows or divides by zero there.",
            )
        scores = activate(rows, self._activation)
        if scores.shape[1] == 1:
            return scores[:, 0]
        return np.stack([aggregate(own, self._spec.aggregation, self._spec.top_k) for own in scores])

    def _to_rows(self, raw: Array, count: int) -> Array:
        """Logits [n, rows, labels]; a model that cuts its input itself answers with several rows an item."""
        labels = len(self._spec.labels)
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
            f"and {labels} labels."
        )


def _choose_output(outputs: tuple[Tensor, ...], labels: int) -> Tensor:
    """The first output whose last dimension is the number of labels; one of unknown width will do if there is none."""
    for width in (labels, None):
        for output in outputs:
            if output.shape and output.shape[-1] == width and output.dtype is not None and output.dtype.kind == "f":
                return output
    made = " and ".join(map(str, outputs))
    raise SpecInvalid(f"The spec names {labels} labels, but the model gives {made}.")
