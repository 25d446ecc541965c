"""Compare the answers and the speed of the float32 and the int8 variant of a model on the same clips."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.files.regular_file import open_regular
from understudy.inference.pipeline.analysis import Analysis
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.compiler.quantization import (
    Gate,
    LabelAgreement,
    Precision,
    PrecisionAgreement,
)

# Fewer clips cannot tell an agreement of 99 % from one of 98 %; their windows are counted instead.
ENOUGH_CLIPS = 100
FEWEST_OF_A_LABEL = 10


@dataclass(frozen=True)
class LabeledClip:
    """A recording and its label: the name of its sub-folder, None without one."""

    path: Path
    label: str | None


@dataclass(frozen=True)
class _Compared:
    clip: LabeledClip
    before: Analysis
    after: Analysis


def compare(
    float32: Pipeline, int8: Pipeline, clips: Sequence[LabeledClip], limits: AudioLimits, *, disjoint: bool
) -> PrecisionAgreement:
    """Analyze each clip with both variants and return how far their answers agree.

    `disjoint` states that none of the clips was used for calibration. `throughput_ratio` is the median over the clips
    of the inference time of float32 divided by that of int8. Raises what opening and analyzing a clip raise.
    """
    found = [_Compared(clip, _analyze_clip(float32, clip, limits), _analyze_clip(int8, clip, limits)) for clip in clips]
    clip_tops = [(each.before.label, each.after.label) for each in found]
    window_tops = [pair for each in found for pair in _list_window_tops(each)]
    counted = clip_tops if len(found) >= ENOUGH_CLIPS else window_tops
    changes = np.concatenate([np.abs(each.before.totals - each.after.totals) for each in found])
    ratios = [each.before.timing.inference / max(each.after.timing.inference, 1e-6) for each in found]
    return PrecisionAgreement(
        clips=len(clip_tops),
        windows=len(window_tops),
        disjoint=disjoint,
        clip_agreement=_compute_agreement(clip_tops),
        window_agreement=_compute_agreement(window_tops),
        counted_on="clips" if counted is clip_tops else "windows",
        max_change=float(changes.max()),
        mean_change=float(changes.mean()),
        max_window_change=max(float(np.abs(_subtract_scores(each)).max(initial=0)) for each in found),
        labels=_count_by_label(counted),
        accuracy=_compute_accuracy(found, float32.spec.labels),
        throughput_ratio=float(np.median(ratios)),
    )


def explain_shortfall(agreement: PrecisionAgreement, gate: Gate) -> str | None:
    """Return a sentence that says why `agreement` does not reach `gate`; None when it does."""
    counted = agreement.counted_on
    share = agreement.clip_agreement if counted == "clips" else agreement.window_agreement
    total = agreement.clips if counted == "clips" else agreement.windows
    if share < gate.min_agreement:
        return f"{share:.2%} of {total} {counted} keep their label; at least {gate.min_agreement:.2%} must keep it."
    if agreement.max_change > gate.max_change:
        return f"A clip's score changes by {agreement.max_change:.3f}; at most {gate.max_change:g} is allowed."
    for label, seen in agreement.labels.items():
        if seen.total >= FEWEST_OF_A_LABEL and seen.agreed / seen.total < gate.min_label_agreement:
            return (
                f"{seen.agreed} of {seen.total} {counted} with the label {label!r} keep it; "
                f"at least {gate.min_label_agreement:.0%} of each label's {counted} must keep it."
            )
    return None


def _analyze_clip(pipeline: Pipeline, clip: LabeledClip, limits: AudioLimits) -> Analysis:
    with open_regular(clip.path) as file:
        return pipeline.analyze(open_clip(file, limits))


def _list_window_tops(each: _Compared) -> list[tuple[str, str]]:
    """Return the labels of the windows that float32 scored; "" where int8 could not score one, so that they differ."""
    labels = each.before.labels
    scored = ~np.isnan(each.before.window_scores[:, 0])
    before, after = each.before.window_scores[scored], each.after.window_scores[scored]
    return [
        (labels[row.argmax()], "" if np.isnan(other[0]) else labels[other.argmax()])
        for row, other in zip(before, after, strict=True)
    ]


def _subtract_scores(each: _Compared) -> NDArray[np.float32]:
    """Return the changes of the scores of the windows that both variants scored."""
    changes: NDArray[np.float32] = each.before.window_scores - each.after.window_scores
    return changes[~np.isnan(changes).any(axis=1)]


def _compute_agreement(tops: Sequence[tuple[str, str]]) -> float:
    return sum(before == after for before, after in tops) / len(tops)


def _count_by_label(tops: Sequence[tuple[str, str]]) -> dict[str, LabelAgreement]:
    total = Counter(before for before, _ in tops)
    agreed = Counter(before for before, after in tops if before == after)
    return {label: LabelAgreement(total=total[label], agreed=agreed[label]) for label in sorted(total)}


def _compute_accuracy(found: Sequence[_Compared], labels: Sequence[str]) -> dict[Precision, float] | None:
    if any(each.clip.label not in labels for each in found):
        return None
    return {
        Precision.FLOAT32: _compute_agreement([(each.clip.label or "", each.before.label) for each in found]),
        Precision.INT8: _compute_agreement([(each.clip.label or "", each.after.label) for each in found]),
    }
