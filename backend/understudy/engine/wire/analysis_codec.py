"""Builds an analysis from what a worker sends, which may be anything."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.engine.engine import ScoredClip
from understudy.engine.wire.messages import ClipFacts, ClipScored
from understudy.engine.wire.tensor_codec import decode
from understudy.inference.pipeline.analysis import Analysis, PhaseTimes
from understudy.inference.pipeline.verdict import Verdict


def build_scored_clip(message: ClipScored, content: bytes, verdict: Verdict) -> ScoredClip:
    """Return the analysis of a clip by the model of `verdict`.

    Raises ValueError unless shapes, types and numbers are those of an analysis by a model with these labels.
    """
    facts = ClipFacts.model_validate_json(content[: message.json_bytes])
    arrays = decode(message.tensors, memoryview(content)[message.json_bytes :])
    _check_arrays(arrays, len(verdict.labels))
    unknown = {event.label for event in facts.events} - set(verdict.labels)
    if unknown:
        raise ValueError(f"events of unknown labels: {sorted(unknown)}")
    analysis = Analysis(
        verdict=verdict,
        totals=arrays["totals"],
        window_scores=arrays["window_scores"],
        window_labels=arrays.get("window_labels"),
        starts=arrays["starts"],
        ends=arrays["ends"],
        events=facts.events,
        audio=facts.audio,
        warnings=facts.warnings,
        findings=facts.findings,
        timing=PhaseTimes(facts.decode, facts.features, facts.inference),
    )
    return ScoredClip(analysis, facts.queue, facts.opening)


def _check_arrays(arrays: Mapping[str, NDArray[Any]], labels: int) -> None:
    names = {"totals", "window_scores", "starts", "ends"}
    if arrays.keys() - {"window_labels"} != names:
        raise ValueError(f"the arrays {sorted(arrays)} are not those of an analysis")
    windows = arrays["window_scores"]
    listed = arrays.get("window_labels")
    if windows.ndim != 2 or windows.shape[1] > labels or (listed is None and windows.shape[1] != labels):
        raise ValueError(f"window scores of the shape {windows.shape} for {labels} labels")
    expected = {
        "totals": (np.float32, (labels,)),
        "window_scores": (np.float32, windows.shape),
        "starts": (np.float64, windows.shape[:1]),
        "ends": (np.float64, windows.shape[:1]),
        "window_labels": (np.int32, windows.shape),
    }
    for name, array in arrays.items():
        dtype, shape = expected[name]
        if array.dtype != dtype or array.shape != shape or not _holds_numbers(name, array):
            raise ValueError(f"{name} is {array.dtype} {array.shape}, or not finite; {shape} was expected")
    if listed is not None and listed.size and not (listed.min() >= 0 and listed.max() < labels):
        raise ValueError("window labels beyond the model's labels")


def _holds_numbers(name: str, array: NDArray[Any]) -> bool:
    """Return whether all values are finite; a window that was not scored has NaN for all its scores, others have none.

    At least one window was scored.
    """
    finite = np.isfinite(array)
    if name != "window_scores" or finite.all():
        return bool(finite.all())
    scored = finite.all(axis=1)
    return bool(scored.any() and np.isnan(array[~scored]).all())
