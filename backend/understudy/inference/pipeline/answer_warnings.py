"""Warnings that accompany a prediction."""

from collections.abc import Iterator

from understudy.inference.pipeline.score_accumulator import MAX_EVENTS, TOP
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import OutputActivation
from understudy.schemas.inference.prediction import AudioFacts


def collect_warnings(
    report: CompileReport,
    facts: AudioFacts,
    *,
    window_seconds: float | None,
    last_end: float,
    abridged: bool,
    events: int,
) -> Iterator[str]:
    """Yield the warnings of one prediction as sentences.

    `window_seconds` is None for a model that takes the whole clip at once. `last_end` is the end of the last window in
    seconds, its padding included. `abridged` means that the answer lists only the best labels of each window. `events`
    is the number of listed events.
    """
    spec = report.spec
    if not spec.labels_named:
        yield "The model has no label names, so class_0, class_1, … are used. Register it with --labels or a spec."
    if spec.activation is OutputActivation.NONE and report.graph_activation is OutputActivation.NONE:
        yield "The scores are the model's raw outputs, not probabilities, because the spec names no activation."
    missing = last_end - facts.duration_seconds
    if window_seconds is not None and facts.duration_seconds < window_seconds:
        yield (
            f"The clip is {facts.duration_seconds:.3g} s long and the model's window {window_seconds:g} s; "
            "the rest of the window was filled with silence."
        )
    elif window_seconds is not None and missing > window_seconds / 2:
        yield f"The last {missing:.2f} s of the last window are silence that was added after the end of the clip."
    if facts.silent:
        yield "The clip is silent: its level stays below -60 dBFS."
    if facts.clipped:
        yield "The recording is clipped: consecutive samples are at full scale, which distorts the sound."
    if abridged:
        yield f"The clip is long, so each window lists only its {TOP} best labels."
    if events == MAX_EVENTS:
        yield f"The clip has too many events to list, so only the first {MAX_EVENTS} are listed."
