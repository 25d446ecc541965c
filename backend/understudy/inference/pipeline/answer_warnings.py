"""Warnings and findings that accompany a prediction."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from understudy.inference.pipeline.score_accumulator import MAX_EVENTS, TOP
from understudy.schemas.compiler.assumptions import describe_pooling
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import OutputActivation, Spec, Tail
from understudy.schemas.front_end.sound import Side
from understudy.schemas.inference.finding import Finding, FindingCode
from understudy.schemas.inference.prediction import AudioFacts

_TOLERANCE_SECONDS = 0.05
# Stretches of windows that were not scored and that are named one by one; the last one names the rest.
_MOST_STRETCHES = 20
_NOT_FINITE = "holds values that are infinite or not numbers (NaN)."


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
    """Yield the warnings of one prediction as sentences, without those of findings.

    `window_seconds` is None for a model that takes the whole clip at once. `scored_seconds` are left of the recording
    after the spec's cuts. `last_end` is the end of the last window in seconds, its padding included. `abridged` means
    that the answer lists only the best labels of each window. `events` is the number of listed events.
    """
    spec = report.spec
    if not spec.labels_named:
        yield "The model has no label names, so class_0, class_1, … are used. Register it with --labels or a spec."
    if spec.activation is OutputActivation.NONE and report.graph_activation is OutputActivation.NONE:
        yield "The scores are the model's raw outputs, not probabilities, because the spec names no activation."
    if (pooling := describe_pooling(spec)) is not None:
        yield pooling
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


def find_unscored(
    window_scores: NDArray[np.float32], starts: NDArray[np.float64], ends: NDArray[np.float64]
) -> list[Finding]:
    """Return a finding for each run of windows that were not scored, whose `window_scores` [windows, n] are NaN."""
    missing = np.concatenate([[False], np.isnan(window_scores).any(axis=1), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1])
    runs = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    if len(runs) > _MOST_STRETCHES:
        runs[_MOST_STRETCHES - 1 :] = [(runs[_MOST_STRETCHES - 1][0], runs[-1][1])]
    return [
        _build_not_scored(int(missing[first + 1 : stop + 1].sum()), float(starts[first]), float(ends[stop - 1]))
        for first, stop in runs
    ]


def _build_not_scored(count: int, start: float, end: float) -> Finding:
    windows, which = ("1 window was", "it") if count == 1 else (f"{count} windows were", "them")
    detail = f"{windows} not scored, from {start:.2f} to {end:.2f} s: the model's output for {which} {_NOT_FINITE}"
    return Finding(code=FindingCode.WINDOW_NOT_SCORED, detail=detail, start=start, end=end)


def build_window_not_scored(start: float, end: float) -> Finding:
    """Return the finding of one window of a stream, from `start` to `end` seconds, that was not scored."""
    detail = f"The window was not scored: the model's output for it {_NOT_FINITE}"
    return Finding(code=FindingCode.WINDOW_NOT_SCORED, detail=detail, start=start, end=end)


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
