"""What a reader of an answer must know."""

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
    """Warnings of one answer.

    `last_end`: where the last window would end, in seconds, had the clip been long enough. `abridged`: the answer
    lists only the best labels of each window. `events`: how many it lists.
    """
    spec = report.spec
    if not spec.labels_named:
        yield "The model names no labels; class_0, class_1, … stand in. Register it with --labels or a spec."
    if spec.activation is OutputActivation.NONE and report.graph_activation is OutputActivation.NONE:
        yield "The scores are the model's raw outputs, not probabilities; the spec names no activation."
    missing = last_end - facts.duration_seconds
    if window_seconds is not None and facts.duration_seconds < window_seconds:
        yield (
            f"The clip is {facts.duration_seconds:.3g} s long and the model's window {window_seconds:g} s; "
            "the rest was filled with silence."
        )
    elif window_seconds is not None and missing > window_seconds / 2:
        yield f"The last {missing:.2f} s of the last window are silence added after the clip's end."
    if facts.silent:
        yield "The clip is silent: it never exceeds -60 dBFS."
    if facts.clipped:
        yield "The recording is clipped: samples in a row are at full scale, which distorts the sound."
    if abridged:
        yield f"The clip is long: each window lists its {TOP} best labels."
    if events == MAX_EVENTS:
        yield f"The clip is full of events: the first {MAX_EVENTS} are listed."
