"""Refuses models whose inputs or outputs no request could use."""

import math
from collections.abc import Sequence

from understudy.errors import CompileFailed
from understudy.schemas.compiler.report import TensorSignature

MAX_OUTPUTS = 64
MAX_ROW_VALUES = 1_000_000  # of one output
_SIZES = "Export the model again with the sizes that it was trained with."


def check_inputs(inputs: Sequence[TensorSignature]) -> None:
    """Raise CompileFailed for a model without inputs, and for an input that holds no values."""
    if not inputs:
        raise CompileFailed(
            "The model has no inputs, so its answer can't depend on a recording.",
            remedy="Export the model with its input: weights and constants alone are no model.",
        )
    for tensor in inputs:
        if 0 in tensor.shape:
            raise CompileFailed(f"The input {tensor} has a dimension of zero, so it holds no values.", remedy=_SIZES)


def check_outputs(outputs: Sequence[TensorSignature]) -> None:
    """Raise CompileFailed where there are no outputs or too many, where all are empty, and where one is too wide.

    Dimensions that vary are not counted.
    """
    if not 1 <= len(outputs) <= MAX_OUTPUTS:
        raise CompileFailed(
            f"The model has {len(outputs)} outputs; 1 to {MAX_OUTPUTS} are served.",
            remedy="Export the model with the outputs that you need, such as its scores.",
        )
    if all(0 in output.shape for output in outputs):
        named = " and ".join(map(str, outputs))
        raise CompileFailed(f"The model answers without a value: its outputs are {named}.", remedy=_SIZES)
    for output in outputs:
        values = math.prod(size for size in output.shape if size is not None)
        if values > MAX_ROW_VALUES:
            raise CompileFailed(
                f"The output {output} holds {values} values a row; {MAX_ROW_VALUES} are served.",
                remedy="Export the model with a smaller output, such as its scores in place of its features.",
            )
