"""Warnings that accompany a prediction."""

from collections.abc import Iterator

from understudy.inference.pipeline.score_accumulator import MAX_EVENTS, TOP
from understudy.schemas.compiler.assumptions import describe_assumptions
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import OutputActivation, Spec, Tail
from understudy.schemas.front_end.sound import Side
from understudy.schemas.inference.prediction import AudioFacts

_TOLERANCE_SECONDS = 0.05


def collect_warnings(
    report: CompileReport,
    facts: AudioFacts,
    *,
    window_seconds: float | None,
    scored_seconds: float,
    last_end: float,
    abridged: bool,
    events: int,
) -> Iterator[str]:
    """Yield the warnings of one prediction as sentences.

    `window_seconds` is None for a model that takes the whole clip at once. `scored_seconds` are left of the recording
    after the spec's cuts. `last_end` is the end of the last window in seconds, its padding included. `abridged` means
    that the answer lists only the best labels of each window. `events` is the number of listed events.
    """
    spec = report.spec
    if not spec.labels_named:
        yield "The model has no label names, so class_0, class_1, … are used. Register it with --labels or a spec."
    if spec.activation is OutputActivation.NONE and report.graph_activation is OutputActivation.NONE:
        yield "The scores are the model's raw outputs, not probabilities, because the spec names no activation."
    yield from describe_assumptions(spec)
    yield from _describe_unscored(spec, facts, scored_seconds, last_end)
    missing = last_end - facts.duration_seconds
    if spec.tail is Tail.KEEP:  # a shorter window, without silence
        pass
    elif window_seconds is not None and facts.duration_seconds < window_seconds:
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


def _describe_unscored(spec: Spec, facts: AudioFacts, scored_seconds: float, last_end: float) -> Iterator[str]:
    """Yield what of the recording was not scored, and what the windows' times mean."""
    duration, sound = facts.duration_seconds, spec.sound
    if scored_seconds < duration - _TOLERANCE_SECONDS:
        yield f"The spec cuts the recording: {scored_seconds:.2f} of {duration:.2f} s were scored."
    dropped = min(duration, sound.offset + scored_seconds) - last_end
    if spec.tail is Tail.DROP and dropped > _TOLERANCE_SECONDS:
        yield f"The last {dropped:.2f} s fill no window and were not scored, as the spec's tail says."
    moved = sound.length is not None and Side.END not in (sound.length.pad, sound.length.cut)
    if spec.window_seconds is not None and (sound.trim is not None or moved):
        yield "The windows' times count from the start of the trimmed or padded sound."
    if sound.length is not None and scored_seconds > duration + _TOLERANCE_SECONDS:
        yield f"The recording is {duration:.3g} s long and was extended to {scored_seconds:.3g} s, as the spec says."
