"""Describe what a spec leaves unsaid."""

from collections.abc import Iterator

from understudy.errors import FIND_SPEC
from understudy.schemas.compiler.likely_rates import suggest_rates
from understudy.schemas.compiler.spec import Assumption, Spec
from understudy.schemas.inference.finding import Finding, FindingCode


def describe_assumptions(spec: Spec) -> Iterator[str]:
    """Yield what the spec leaves unsaid and what was assumed in its place, one sentence for each."""
    for sentence in (describe_pooling(spec), describe_sample_rate(spec)):
        if sentence is not None:
            yield sentence


def describe_pooling(spec: Spec) -> str | None:
    """Return what was assumed about pooling; None where the spec states it."""
    if Assumption.POOLING not in spec.assumptions:
        return None
    return (
        f"The spec does not say whether {spec.input.value} values are averaged over time before the model "
        '(`pooling`: "none" or "mean"), so each window is scored alone. '
        f"Say it in the spec, or find it by the answers of the author's own script: {FIND_SPEC}"
    )


def find_assumptions(spec: Spec) -> tuple[Finding, ...]:
    """Return a finding where the model's sample rate was assumed."""
    sentence = describe_sample_rate(spec)
    return () if sentence is None else (Finding(code=FindingCode.SAMPLE_RATE_ASSUMED, detail=sentence),)


def describe_sample_rate(spec: Spec) -> str | None:
    """Return which sample rate was assumed, and the likely ones; None where the spec states the rate."""
    if Assumption.SAMPLE_RATE not in spec.assumptions or spec.sample_rate == "file":
        return None
    likely = ""
    if spec.window_seconds is not None:
        samples = round(spec.window_seconds * spec.sample_rate)
        rates = [f"{rate} Hz ({samples / rate:.4g} s)" for rate in suggest_rates(samples)]
        likely = f" Likely for its {samples} samples: {', '.join(rates)}." if rates else ""
    return (
        f"The spec does not state the sample rate, so {spec.sample_rate} Hz is assumed; at another rate every score is "
        f"wrong.{likely} State `sample_rate` in the spec."
    )
