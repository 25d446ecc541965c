"""Search the spec with which a model answers examples as its author's script does."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits
from understudy.errors import UnderstudyError
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.proof.clip_proof import prove_clip
from understudy.inference.runtime.session import Session
from understudy.inference.spec_search.candidates import list_candidates
from understudy.inference.spec_search.changes import Change, Document, list_changes
from understudy.inference.spec_search.comparison import Comparison
from understudy.inference.spec_search.example_features import ExampleFeatures
from understudy.inference.spec_search.example_scorer import ExampleScorer
from understudy.inference.spec_search.trials import CompleteSpec, TimeOver, Trial, Trials
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.examples import ClipProof, Expectation

MANY = 12  # clips on which the better ones are compared; the best are compared on all
BEAM = 3  # specs that are changed in a round
_BLOCK = 100  # starts that are tried before the nearest ones of them are looked at
_KEPT_STARTS = 15
_KEPT_CHANGES = 12
_PAIRED = 16  # changes of which each pair is tried where no single one helps
_PROVED = 6  # specs that are tried on all examples, through the pipeline that serves
_SHOWN = 3

ExampleClip = tuple[bytes, Expectation]


@dataclass(frozen=True)
class ProvedTrial:
    """A spec whose answers for all examples came from the pipeline that serves."""

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
    """The best trials on all clips, best first; empty when nothing that is known fits the model's input."""

    best: tuple[ProvedTrial, ...]
    tried: int
    seconds: float
    out_of_time: bool


class SpecSearch:
    """Tries the usual kinds of features, then changes the nearest ones, one choice or two at a time.

    Each spec is tried on a few clips, and only the nearer ones on more. The order of the trials, and so the result,
    depends on the examples only, unless the time ends before the search.
    """

    def __init__(
        self,
        report: CompileReport,
        session: Session,
        probes: Mapping[str, NDArray[Any]],
        backbone: YamnetBackbone | None,
        complete: CompleteSpec,
        resolve: CompleteSpec,
        *,
        labels: Sequence[str],
        limits: AudioLimits,
        max_whole_clip_seconds: float,
        extra_changes: Sequence[Change] = (),
    ) -> None:
        """`report` is of the model compiled for tensors; `labels` are in the order of its outputs.

        `complete` completes a spec, and `resolve` also checks that it fits the model's input. `extra_changes` are tried
        beside the usual ones.
        """
        self._report = report
        self._session = session
        self._probes = probes
        self._backbone = backbone
        self._complete = complete
        self._resolve = resolve
        self._labels = labels
        self._limits = limits
        self._max_whole_clip_seconds = max_whole_clip_seconds
        self._extra = extra_changes

    def run(
        self, examples: Sequence[ExampleClip], seconds: float, on_trial: Callable[[int, Trial | None], None]
    ) -> SearchResult:
        """Search for at most about `seconds`; `on_trial` gets the number of trials and the best one so far."""
        began = time.monotonic()
        chosen = _choose_few(examples, MANY)
        features = ExampleFeatures([clip for clip, _ in chosen], self._limits, self._max_whole_clip_seconds)
        scorer = ExampleScorer(
            self._report, self._session, self._probes, self._backbone, features, self._max_whole_clip_seconds
        )
        comparison = Comparison([expected for _, expected in chosen], self._labels)
        trials = Trials(self._complete, scorer, comparison, len(chosen), began + seconds, on_trial)
        [signature] = self._report.inputs
        out_of_time = False
        try:
            changed: set[str] = set()
            self._start(trials, signature.shape, changed)
            self._climb(trials, changed)
        except TimeOver:
            out_of_time = True
        best = self._prove(trials.rank(), examples)
        return SearchResult(best, trials.tried, time.monotonic() - began, out_of_time)

    def _start(self, trials: Trials, shape: tuple[int | None, ...], changed: set[str]) -> None:
        """Try the usual kinds of features, the likeliest first, until one gives the answers.

        Each time a start is nearer than all before, its changes are tried at once. `changed` gets its key.
        """
        starts = self._list_starts(shape)
        while block := list(islice(starts, _BLOCK)):
            trials.compare(block, _KEPT_STARTS)
            nearest = trials.rank()[:1]
            if nearest and not trials.exact and (key := nearest[0].key) not in changed:
                changed.add(key)
                self._change_one(trials, nearest[0])
            if trials.near:
                return

    def _list_starts(self, shape: tuple[int | None, ...]) -> Iterator[tuple[tuple[str, ...], Document]]:
        """Yield each start, alone and with each extra change, without which it may be far away."""
        for name, document in list_candidates(shape):
            yield (name,), document
            for change in self._extra:
                yield (name, change.text), change.apply(document)

    def _climb(self, trials: Trials, changed: set[str]) -> None:
        """Change the nearest specs, and one start of each kind, until nothing is nearer or a spec agrees.

        `changed` holds the keys of those that were changed before.
        """
        kinds: set[str] = set()
        paired: set[str] = set()
        while True:
            ranked = trials.rank()
            if not ranked or trials.exact:
                return
            beam = [trial for trial in ranked[:BEAM] if trial.key not in changed]
            if not beam and ranked[0].key not in paired:
                paired.add(ranked[0].key)
                self._change_two(trials, ranked[0])
                continue
            if not trials.near:
                others = (trial for trial in ranked if _get_kind(trial) not in kinds and trial.key not in changed)
                beam += [trial for trial in [next(others, None)] if trial is not None and trial not in beam]
            if not beam:
                return
            for trial in beam:
                changed.add(trial.key)
                kinds.add(_get_kind(trial))
                self._change_one(trials, trial)

    def _change_one(self, trials: Trials, trial: Trial) -> None:
        """Try each change of a spec, then those together that brought it nearer each by itself."""
        changes = list_changes(trial.document, self._extra)
        made = trials.compare([_apply(trial, [change]) for change in changes], _KEPT_CHANGES)
        by_text = {change.text: change for change in changes}
        helpful: dict[str, Change] = {}
        for found in made:
            if found.rank < trial.rank:
                change = by_text[found.steps[-1]]
                helpful.setdefault(change.axis, change)
        nearest = min(made, key=lambda found: found.rank, default=trial)
        together = list(helpful.values())[:1]
        for change in list(helpful.values())[1:]:
            for found in trials.compare([_apply(trial, [*together, change])], 1):
                if found.rank < nearest.rank:
                    nearest = found
                    together.append(change)

    def _change_two(self, trials: Trials, trial: Trial) -> None:
        """Try the pairs of the changes that lead least far away from a spec that no single change brings nearer."""
        changes = list_changes(trial.document, self._extra)
        ranked = trials.measure_few([_apply(trial, [change]) for change in changes])
        by_text = {change.text: change for change in changes}
        nearest: list[Change] = []
        for found in ranked:
            change = by_text[found.steps[-1]]
            if sum(other.axis == change.axis for other in nearest) < 2:
                nearest.append(change)
        pairs = [pair for pair in combinations(nearest[:_PAIRED], 2) if pair[0].axis != pair[1].axis]
        trials.compare([_apply(trial, pair) for pair in pairs], _KEPT_CHANGES)

    def _prove(self, ranked: Sequence[Trial], examples: Sequence[ExampleClip]) -> tuple[ProvedTrial, ...]:
        """Return the nearest specs with the answers of the pipeline for all examples, best first."""
        order = sorted(ranked[: 4 * _PROVED], key=lambda trial: (-trial.closeness.agreed, *trial.rank))
        proved = []
        for trial in order[:_PROVED]:
            if (found := self._prove_one(trial, examples)) is not None:
                proved.append(found)
            if len(proved) == _SHOWN:
                break
        return tuple(sorted(proved, key=lambda each: each.rank))

    def _prove_one(self, trial: Trial, examples: Sequence[ExampleClip]) -> ProvedTrial | None:
        """Return the proofs of a spec; None where the pipeline refuses it or no clip can be scored."""
        try:
            spec = self._resolve(PartialSpec.model_validate(trial.document))
            report = self._report.model_copy(update={"spec": spec})
            pipeline = Pipeline(report, self._session, self._probes, self._backbone, self._max_whole_clip_seconds)
        except UnderstudyError:
            return None
        proofs = tuple(prove_clip(pipeline, clip, expected, self._limits) for clip, expected in examples)
        if all(proof.problem is not None for proof in proofs):
            return None
        return ProvedTrial(trial.steps, trial.document, proofs, float(np.mean([_measure(proof) for proof in proofs])))


def _apply(trial: Trial, changes: Sequence[Change]) -> tuple[tuple[str, ...], Document]:
    document = trial.document
    for change in changes:
        document = change.apply(document)
    # A change takes the place of an earlier one of the same field.
    replaced = {change.axis for change in changes}
    kept = [step for step in trial.steps[1:] if not any(step.startswith(f"{axis} ") for axis in replaced)]
    return (trial.steps[0], *kept, *(change.text for change in changes)), document


def _get_kind(trial: Trial) -> str:
    """Return what a start is of: its parts, statistics and axes."""
    parts = [part["kind"] for part in trial.document.get("front_end") or [{"kind": trial.document.get("input")}]]
    arrangement = trial.document.get("arrangement") or {}
    return json.dumps([parts, trial.document.get("pooling"), arrangement.get("layout"), arrangement.get("picture")])


def _measure(proof: ClipProof) -> float:
    if proof.problem is not None:
        return 2.0  # worse than any wrong score
    if proof.max_difference is not None:
        return proof.max_difference
    return float(proof.expected_label != proof.served_label)


def _choose_few(examples: Sequence[ExampleClip], count: int) -> list[ExampleClip]:
    """Return up to `count` examples; one of each label comes first."""
    first: dict[str | None, ExampleClip] = {}
    for example in examples:
        first.setdefault(example[1].label, example)
    chosen = list(first.values())
    return [*chosen, *(example for example in examples if example not in chosen)][:count]
