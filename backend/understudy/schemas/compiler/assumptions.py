"""Describe what a spec leaves unsaid."""

from collections.abc import Iterator

from understudy.errors import FIND_SPEC
from understudy.schemas.compiler.spec import Assumption, Spec


def describe_assumptions(spec: Spec) -> Iterator[str]:
    """Yield what the spec leaves unsaid and what was assumed in its place."""
    if Assumption.POOLING in spec.assumptions:
        yield (
            f"The spec does not say whether {spec.input.value} values are averaged over time before the model "
            '(`pooling`: "none" or "mean"), so each window is scored alone. '
            f"Say it in the spec, or find it by the answers of the author's own script: {FIND_SPEC}"
        )
    if Assumption.SAMPLE_RATE in spec.assumptions:
        yield f"The spec does not state the sample rate, so {spec.sample_rate} Hz is assumed."
