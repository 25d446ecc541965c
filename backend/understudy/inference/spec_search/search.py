"""Search the spec with which a model answers examples as its author's script does."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from understudy.audio.opening import AudioLimits
from understudy.errors import SpecInvalid, UnderstudyError
from understudy.inference.clip_input.yamnet_backbone import Backbone
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.proof.clip_proof import prove_clip
from understudy.inference.runtime.session import Session
from understudy.inference.spec_search.candidates import Document, list_candidates
from understudy.inference.spec_search.variations import list_variations
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import PartialSpec, Spec
from understudy.schemas.registry.examples import ClipProof, Expectation

FEW = 4  # clips on which all candidates are compared; the best are compared on all clips
BEAM = 3  # candidates of a round that the next one varies
MOST_ROUNDS = 8
_NO_ANSWER = 2.0  # worse than any wrong score

Resolve = Callable[[PartialSpec], Spec]
ExampleClip = tuple[bytes, Expectation]


@dataclass(frozen=True)
class Trial:
    """One spec and its answers. `steps` begin with the preset's name; the changes made to it follow.

    `difference` is the mean over the clips of the largest difference of a score; a wrong label without scores is 1.
    """

    steps: tuple[str, ...]
    document: Document
    proofs: tuple[ClipProof, ...]
    difference: float

    @property
    def agreed(self) -> int:
        """Number of clips on which the answers agree."""
        return sum(proof.agrees for proof in self.proofs)

    @property
    def agrees(self) -> bool:
        """True when all clips agree."""
        return self.agreed == len(self.proofs)

    @property
    def rank(self) -> tuple[int, float, int]:
        """Smaller is better: clips that differ, mean difference, number of changes."""
        return len(self.proofs) - self.agreed, round(self.difference, 6), len(self.steps)


@dataclass(frozen=True)
class SearchResult:
    """The best trials on all clips, best first; empty when no preset fits the model's input."""

    best: tuple[Trial, ...]
    tried: int
    seconds: float
    out_of_time: bool


class SpecSearch:
    """Compares presets, then changes one parameter of the best ones at a time while that brings the answers nearer.

    The order of the trials, and so the result, depends on the examples only, unless the time ends before the search.
    """

    def __init__(
        self,
        report: CompileReport,
        session: Session,
        probes: Mapping[str, NDArray[Any]],
        backbone: Backbone | None,
        resolve: Resolve,
        *,
        limits: AudioLimits,
        max_whole_clip_seconds: float,
    ) -> None:
        """`report` is of the model compiled for tensors; `resolve` completes a spec for its signature."""
        self._report = report
        self._session = session
        self._probes = probes
        self._backbone = backbone
        self._resolve = resolve
        self._limits = limits
        self._max_whole_clip_seconds = max_whole_clip_seconds
        self._seen: set[str] = set()

    def run(
        self, examples: Sequence[ExampleClip], seconds: float, on_trial: Callable[[int, Trial | None], None]
    ) -> SearchResult:
        """Search for at most about `seconds`; `on_trial` gets the number of trials and the best one so far."""
        began = time.monotonic()
        few = _choose_few(examples)
        ranked: list[Trial] = []

        def compare(candidates: Iterator[tuple[tuple[str, ...], Document]]) -> bool:
            """Try the candidates on a few clips; return False when the time is over."""
            for steps, document in candidates:
                if time.monotonic() - began > seconds:
                    return False
                if (trial := self._try(steps, document, few)) is not None:
                    ranked.append(trial)
                    ranked.sort(key=lambda each: each.rank)
                    on_trial(len(self._seen), ranked[0])
            return True

        [signature] = self._report.inputs
        in_time = compare(((name,), document) for name, document in list_candidates(signature.shape))
        for _ in range(MOST_ROUNDS):
            before = ranked[:BEAM]
            if not in_time or not before or (before[0].agrees and before[0].difference < _NEAR):
                break
            in_time = compare(
                ((*trial.steps, change), document)
                for trial in before
                for change, document in list_variations(trial.document)
            )
            if ranked[:BEAM] == before:
                break
        best = [found for trial in ranked[:BEAM] if (found := self._try_all(trial, examples)) is not None]
        return SearchResult(
            tuple(sorted(best, key=lambda each: each.rank)),
            len(self._seen),
            time.monotonic() - began,
            out_of_time=not in_time,
        )

    def _try(self, steps: tuple[str, ...], document: Document, examples: Sequence[ExampleClip]) -> Trial | None:
        """Return the trial of a spec that was not tried yet; None for one that does not fit the model."""
        try:
            given = PartialSpec.model_validate(document)
            key = json.dumps(given.to_document(), sort_keys=True)
            if key in self._seen:
                return None
            self._seen.add(key)
            return self._compare(steps, document, given, examples)
        except (ValidationError, UnderstudyError):
            return None

    def _try_all(self, trial: Trial, examples: Sequence[ExampleClip]) -> Trial | None:
        given = PartialSpec.model_validate(trial.document)
        try:
            return self._compare(trial.steps, trial.document, given, examples)
        except UnderstudyError:
            return None

    def _compare(
        self, steps: tuple[str, ...], document: Document, given: PartialSpec, examples: Sequence[ExampleClip]
    ) -> Trial:
        """Run the clips through the pipeline of the spec. Raises SpecInvalid where it does not fit the model."""
        report = self._report.model_copy(update={"spec": self._resolve(given)})
        pipeline = Pipeline(report, self._session, self._probes, self._backbone, self._max_whole_clip_seconds)
        proofs = [prove_clip(pipeline, clip, expected, self._limits) for clip, expected in examples]
        if all(proof.problem is not None for proof in proofs):
            raise SpecInvalid(f"No clip could be scored: {proofs[0].problem}")
        return Trial(steps, document, tuple(proofs), float(np.mean([_measure(proof) for proof in proofs])))


_NEAR = 1e-3  # mean difference below which no better spec is looked for


def _measure(proof: ClipProof) -> float:
    if proof.problem is not None:
        return _NO_ANSWER
    if proof.max_difference is not None:
        return proof.max_difference
    return float(proof.expected_label != proof.served_label)


def _choose_few(examples: Sequence[ExampleClip]) -> list[ExampleClip]:
    """Return up to FEW examples of different labels first, spread over the list."""
    chosen: list[ExampleClip] = []
    labels: set[str | None] = set()
    for example in examples:
        if len(chosen) < FEW and example[1].label not in labels:
            labels.add(example[1].label)
            chosen.append(example)
    for example in examples:
        if len(chosen) < FEW and example not in chosen:
            chosen.append(example)
    return chosen
