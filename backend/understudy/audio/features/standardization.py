"""Standardize features with the numbers of a spec or of the clip itself."""

import numpy as np
from numpy.typing import NDArray

from understudy.errors import SpecInvalid
from understudy.schemas.front_end.arrangement import (
    ClipStandardization,
    FeatureStandardization,
    RangeStandardization,
    ScalarStandardization,
    Standardization,
)

Features = NDArray[np.float32]
Numbers = NDArray[np.float64]


class Standardizer:
    """Applies a standardization to features float32 [frames, features] or [features]; computes in double precision."""

    def __init__(self, standardization: Standardization, *, features_first: bool) -> None:
        """`features_first` is the order of the values where each of them has its own mean.

        Raises SpecInvalid when the numbers are still those of a file.
        """
        self._rule = standardization
        self._features_first = features_first
        if isinstance(standardization, FeatureStandardization):
            if not standardization.mean:
                raise SpecInvalid(f"The numbers of the scaler file {standardization.file} were not read.")
            self._mean = np.array(standardization.mean)
            self._std = np.array(standardization.std)

    def apply(self, features: Features) -> Features:
        """Return the standardized features; raises SpecInvalid when the spec has another number of means."""
        exact = features.astype(np.float64)
        rule = self._rule
        if isinstance(rule, ScalarStandardization):
            exact = (exact - rule.mean) / rule.std
        elif isinstance(rule, FeatureStandardization):
            exact = self._apply_given(exact, per_value=rule.over == "value")
        elif isinstance(rule, ClipStandardization):
            exact = _standardize_clip(exact, rule)
        else:
            exact = _scale_to_range(exact, rule)
        return exact.astype(np.float32)

    def _apply_given(self, values: Numbers, *, per_value: bool) -> Numbers:
        count = values.size if per_value else values.shape[-1]
        if len(self._mean) != count:
            raise SpecInvalid(
                f"The spec standardizes {len(self._mean)} {'values' if per_value else 'features'}, and the front end "
                f"gives {count}.",
                remedy="Give as many means and stds as the front end gives, or correct the front end's parameters.",
            )
        if not per_value:
            return np.asarray((values - self._mean) / self._std)
        ordered = values.T if self._features_first else values
        standardized = np.asarray((ordered - self._mean.reshape(ordered.shape)) / self._std.reshape(ordered.shape))
        return standardized.T if self._features_first else standardized


def _standardize_clip(values: Numbers, rule: ClipStandardization) -> Numbers:
    if rule.over == "time" and values.ndim < 2:
        raise SpecInvalid(
            "The spec standardizes each feature over time, and its features are pooled over time before.",
            remedy='Use "over": "all", move the standardization before the pooling, or leave the pooling out.',
        )
    axis = 0 if rule.over == "time" else None
    degrees = 1 if rule.unbiased and (values.size if axis is None else len(values)) > 1 else 0
    centered = np.asarray(values - values.mean(axis=axis, keepdims=True)) if rule.mean else values
    if not rule.std:
        return centered
    variance = values.var(axis=axis, keepdims=True, ddof=degrees)
    spread = np.sqrt(variance + rule.epsilon) if rule.epsilon_in_root else np.sqrt(variance) + rule.epsilon
    return np.asarray(np.divide(centered, spread, out=np.zeros_like(values), where=spread > 0))


def _scale_to_range(values: Numbers, rule: RangeStandardization) -> Numbers:
    low, high = values.min(), values.max()
    if high == low:
        return np.full_like(values, rule.low)
    return np.asarray((values - low) / (high - low) * (rule.high - rule.low) + rule.low)
