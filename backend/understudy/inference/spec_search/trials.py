"""Tries specs on a few examples and the nearer ones on more, each once."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from understudy.errors import UnderstudyError
from understudy.inference.spec_search.changes import Document
from understudy.inference.spec_search.comparison import Closeness, Comparison
from understudy.inference.spec_search.example_scorer import ExampleScorer
from understudy.schemas.compiler.spec import PartialSpec, Spec

FEW = 3  # clips on which all specs are compared
_EXACT = 2e-5  # mean difference of scores that were written with some digits
_NEAR = 1e-3  # mean difference below which no other kind of features is looked for

CompleteSpec = Callable[[PartialSpec], Spec]


@dataclass(frozen=True)
class Trial:
    """One spec and how near its answers are. `steps` begin with the start's name; the changes made to it follow."""

    steps: tuple[str, ...]
    document: Document
    closeness: Closeness

    @property
    def rank(self) -> tuple[float, int]:
        """Smaller is better: distance, number of changes."""
        return round(self.closeness.distance, 7), len(self.steps)

    @property
    def key(self) -> str:
        """The spec as JSON text: equal for two documents that mean the same spec."""
        return json.dumps(PartialSpec.model_validate(self.document).to_document(), sort_keys=True)

    @property
    def difference(self) -> float:
        """The mean over the clips of the largest difference of a score."""
        return self.closeness.difference


class TimeOver(Exception):
    """The time of the search has ended."""


class Trials:
    """The specs that were tried, each once."""

    def __init__(
        self,
        complete: CompleteSpec,
        scorer: ExampleScorer,
        comparison: Comparison,
        clips: int,
        ends_at: float,
        on_trial: Callable[[int, Trial | None], None],
    ) -> None:
        self._complete = complete
        self._scorer = scorer
        self._comparison = comparison
        self._few = np.arange(min(FEW, clips)).tolist()
        self._rest = np.arange(min(FEW, clips), clips).tolist()
        self._ends_at = ends_at
        self._on_trial = on_trial
        self._on_few: dict[str, tuple[Trial, Spec, NDArray[np.float32]] | None] = {}
        self._on_many: dict[str, Trial] = {}
        self._best: Trial | None = None

    @property
    def tried(self) -> int:
        """Number of specs that were tried."""
        return len(self._on_few)

    @property
    def exact(self) -> bool:
        """True when a spec gives the examples' scores to their last digit."""
        return self._best is not None and self._best.closeness.agrees and self._best.difference < _EXACT

    @property
    def near(self) -> bool:
        """True when all clips agree so well that no other kind of features is looked for."""
        return self._best is not None and self._best.closeness.agrees and self._best.difference < _NEAR

    def rank(self) -> list[Trial]:
        """Return the trials on many clips, nearest first."""
        return sorted(self._on_many.values(), key=lambda trial: trial.rank)

    def measure_few(self, candidates: Iterable[tuple[tuple[str, ...], Document]]) -> list[Trial]:
        """Return the trials of the candidates that fit the model on a few clips, nearest first.

        Raises TimeOver when the time has ended.
        """
        found = []
        for steps, document in candidates:
            if time.monotonic() > self._ends_at:
                raise TimeOver
            if (measured := self._measure_few(steps, document)) is not None:
                found.append(Trial(steps, document, measured.closeness))
        return sorted(found, key=lambda trial: trial.rank)

    def compare(self, candidates: Iterable[tuple[tuple[str, ...], Document]], kept: int) -> list[Trial]:
        """Try the candidates on a few clips and the `kept` nearest on many; return those, nearest first.

        Raises TimeOver when the time has ended; what was tried until then is kept.
        """
        try:
            nearest = self.measure_few(candidates)[:kept]
        except TimeOver:
            self._measure_best()
            raise
        found = [
            Trial(trial.steps, trial.document, closeness)
            for trial in nearest
            if (closeness := self._measure_many(trial)) is not None
        ]
        return sorted(found, key=lambda trial: trial.rank)

    def _measure_best(self) -> None:
        """Try on many clips the nearest spec of those that were tried on a few."""
        known = [entry[0] for entry in self._on_few.values() if entry is not None]
        if known:
            self._measure_many(min(known, key=lambda trial: trial.rank))

    def _measure_few(self, steps: tuple[str, ...], document: Document) -> Trial | None:
        """Return the trial of a spec on a few clips; None for one that does not fit the model."""
        try:
            given = PartialSpec.model_validate(document)
            key = json.dumps(given.to_document(), sort_keys=True)
        except (ValidationError, UnderstudyError):
            return None
        if key not in self._on_few:
            self._on_few[key] = self._score(steps, document, given)
            self._on_trial(self.tried, self._best)
        measured = self._on_few[key]
        return None if measured is None else measured[0]

    def _score(
        self, steps: tuple[str, ...], document: Document, given: PartialSpec
    ) -> tuple[Trial, Spec, NDArray[np.float32]] | None:
        try:
            spec = self._complete(given)
            scores = self._scorer.score(spec, self._few)
        except (UnderstudyError, ValueError):  # numpy refuses a mirror longer than the clip
            return None
        return Trial(steps, document, self._comparison.measure(spec, self._few, scores)), spec, scores

    def _measure_many(self, trial: Trial) -> Closeness | None:
        """Return how near a spec is on many clips; None for one that does not fit all of them."""
        key = trial.key
        if key not in self._on_many:
            if (measured := self._on_few[key]) is None:
                return None
            _, spec, scores = measured
            try:
                more = [scores, self._scorer.score(spec, self._rest)] if self._rest else [scores]
            except (UnderstudyError, ValueError):
                return None
            closeness = self._comparison.measure(spec, [*self._few, *self._rest], np.concatenate(more))
            self._on_many[key] = Trial(trial.steps, trial.document, closeness)
            if self._best is None or self._on_many[key].rank < self._best.rank:
                self._best = self._on_many[key]
        return self._on_many[key].closeness
