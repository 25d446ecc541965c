"""Run a compiled model on recordings."""

import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from understudy.audio.clip import Clip
from understudy.errors import BackboneMissing, CannotServe, NotForAudio, SpecInvalid, WarmUpFailed
from understudy.files.regular_file import read_regular
from understudy.inference.clip_input.backbone import Backbone
from understudy.inference.clip_input.backbone_features import BackboneFeatures
from understudy.inference.clip_input.batch_size import MAX_BATCH
from understudy.inference.clip_input.clip_samples import iter_samples
from understudy.inference.clip_input.framing import Framing
from understudy.inference.clip_input.model_input import choose_model_input
from understudy.inference.pipeline.analysis import Analysis
from understudy.inference.pipeline.answer_warnings import collect_warnings, find_unscored
from understudy.inference.pipeline.network import Network
from understudy.inference.pipeline.score_accumulator import ScoreAccumulator
from understudy.inference.pipeline.stopwatch import Stopwatch
from understudy.inference.pipeline.stream_scorer import StreamScorer
from understudy.inference.pipeline.verdict import Verdict
from understudy.inference.pipeline.window_reporter import OnWindows, WindowReporter
from understudy.inference.runtime.probe_replay import load_probes, read_recorded_inputs, replay
from understudy.inference.runtime.session import Session
from understudy.inference.runtime.session_loading import load_session
from understudy.inference.runtime.tensor_graph import Graph
from understudy.schemas.compiler.assumptions import find_assumptions
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import InputKind, Spec, Tail

__all__ = ["Analysis", "Pipeline"]

Array = NDArray[np.float32]
Items = list[Array]
T = TypeVar("T")
Scored = tuple[Array, float]
Steps = Generator[Items, Sequence[Scored], T]


class Pipeline:
    """Analyzes clips with one compiled model.

    It keeps no state between calls, so several threads may use it at once.
    """

    def __init__(
        self,
        report: CompileReport,
        session: Session,
        probes: Mapping[str, NDArray[Any]],
        backbone: Backbone | None,
        max_whole_clip_seconds: float,
    ) -> None:
        """`probes` are the recorded inputs and outputs of the model.

        Raises SpecInvalid when spec and graph do not fit each other, and BackboneMissing when the spec needs a backbone
        and `backbone` is None or another one.
        """
        self.report = report
        self._session = session
        self._probes = probes
        self._backbone = backbone if self.spec.input.on_backbone else None
        self._backbone_features: BackboneFeatures | None = None
        self._verdict = Verdict(self.spec)
        self._max_whole_clip_seconds = max_whole_clip_seconds
        self.graph = Graph(session, read_recorded_inputs(probes))
        self._audio: tuple[Framing, Network] | None = None
        if self.spec.input is InputKind.TENSOR:
            return
        if self.spec.input.on_backbone:
            _require_backbone(self.spec, backbone)
        inputs = self.graph.inputs
        if len(inputs) != 1:
            raise SpecInvalid(f"The model has {len(inputs)} inputs ({', '.join(inputs)}), and audio fills only one.")
        [tensor] = inputs.values()
        taken = choose_model_input(self.spec, tensor, None if self._backbone is None else self._backbone.front_end)
        if self._backbone is not None:
            self._backbone_features = BackboneFeatures(self._backbone, self.spec, grouped=taken.grouped)
        whole_clips = taken.framing.window_seconds is None
        network = Network(session, taken.layout, self.spec, report.graph_activation, whole_clips=whole_clips)
        self._audio = taken.framing, network

    @classmethod
    def load(cls, compiled_folder: Path, *, backbone: Backbone | None, max_whole_clip_seconds: float) -> Self:
        """Load a compiled model from a folder with report.json, probes.npz and model.onnx or model.tflite.

        Raises WarmUpFailed when a file is missing or damaged, RuntimeMissing when the model needs LiteRT and it is not
        installed, and what the constructor raises.
        """
        try:
            report = CompileReport.model_validate_json(read_regular(compiled_folder / "report.json"))
            session = load_session(compiled_folder / report.runtime.file_name, report.runtime)
        except (OSError, ValidationError) as error:
            raise WarmUpFailed(f"The files of {compiled_folder.name} cannot be read: {error}") from error
        except CannotServe as error:
            raise WarmUpFailed(error.detail) from error
        return cls(report, session, load_probes(compiled_folder / "probes.npz"), backbone, max_whole_clip_seconds)

    @property
    def spec(self) -> Spec:
        """The complete spec of the model."""
        return self.report.spec

    @property
    def backbone_digest(self) -> str | None:
        """SHA-256 of the backbone that runs before the model, or None without one."""
        return None if self._backbone is None else self._backbone.digest

    def warm_up(self) -> float:
        """Replay the recorded probes and return the largest relative error.

        Raises WarmUpFailed when the model or the backbone fails, or when an output differs from the recorded one by
        more than the tolerance of the compile report.
        """
        if self._backbone is not None:
            self._backbone.warm_up()
        return replay(self._session, self._probes, self.report.tolerance)

    def stop_runs(self) -> None:
        """Make running runs of the graph and of the backbone fail soon; for another thread than those that run."""
        self._session.stop_runs()
        if self._backbone is not None:
            self._backbone.stop_runs()

    def analyze(self, clip: Clip) -> Analysis:
        """Analyze the clip from start to end on the calling thread.

        Raises what `analyze_stepwise` and `score` raise.
        """
        steps = self.analyze_stepwise(clip)
        items = next(steps)
        while True:
            [scores], seconds = self.score([items])
            try:
                items = steps.send([(scores, seconds)])
            except StopIteration as end:
                return cast("Analysis", end.value)

    def analyze_stepwise(self, clip: Clip, on_windows: OnWindows | None = None) -> Steps[Analysis]:
        """Analyze the clip in steps, so that the caller decides when and with which other clips its windows are scored.

        Yields up to MAX_BATCH items, expects the result of `score` for them (scores float32 [n, labels] and seconds),
        and returns the analysis. Decoding blocks the thread between two yields. Memory grows only by the scores that
        `ScoreAccumulator` keeps. Where the clip takes long and the model cuts it into windows, `on_windows` is called
        with those that were scored, on the thread that takes the step. Raises NotForAudio for a tensor model, and
        AudioTooLong and AudioUnusable as the clip does.
        """
        framing, _ = self._require_audio()
        watch = Stopwatch()
        rate = framing.rate or clip.rate
        cutter = framing.make_cutter(self._max_whole_clip_seconds, rate)
        pending: list[tuple[float, Array]] = []
        unanswered: deque[list[float]] = deque()
        accumulator = ScoreAccumulator(self.spec, framing.window_seconds)
        reporter = None
        if on_windows is not None and framing.window_seconds is not None:
            reporter = WindowReporter(self._verdict, framing.window_seconds, on_windows)
        blocks = iter_samples(clip, self.spec.sound, rate, self._max_whole_clip_seconds)

        def take(scored: Sequence[Scored]) -> None:
            for scores, seconds in scored:
                starts = unanswered.popleft()
                watch.add("inference", seconds)
                accumulator.add(starts, scores)
                if reporter is not None:
                    reporter.add(starts, scores)

        while True:
            with watch.measure("decode"):
                block = next(blocks, None)
            with watch.measure("features"):
                pending += cutter.finish() if block is None else cutter.push(block)
            while len(pending) >= MAX_BATCH or (block is None and pending):
                batch = pending[:MAX_BATCH]
                del pending[:MAX_BATCH]
                unanswered.append([self.spec.sound.offset + start for start, _ in batch])
                take((yield [item for _, item in batch]))
            if block is None:
                break
        while unanswered:
            take((yield []))
        return self._build_analysis(clip, framing, cutter.total / rate, accumulator, watch)

    @cached_property
    def joinable(self) -> bool:
        """True when the windows of several clips may be scored in one run; the first access runs the graph.

        Raises NotForAudio for a tensor model.
        """
        framing, _ = self._require_audio()
        return framing.window_seconds is not None and self.spec.tail is not Tail.KEEP and self.graph.joinable

    def score(self, requests: Sequence[Items]) -> tuple[list[Array], float]:
        """Return scores float32 [n, labels] for the n items of each request, and the seconds that the run took.

        Takes several requests only when the pipeline is `joinable`. Raises NotForAudio for a tensor model, and
        CannotServe when the model fails. The scores of an item for which it answers with values that are not finite
        are NaN.
        """
        _, network = self._require_audio()
        began = time.perf_counter()
        scores = self._score_items(network, [item for items in requests for item in items])
        ends = np.cumsum([len(items) for items in requests])[:-1]
        return np.split(scores, ends) if len(ends) else [scores], time.perf_counter() - began

    def create_stream_scorer(self, rate: int) -> StreamScorer:
        """Return a scorer for a new stream that comes at `rate` Hz and is resampled to the scorer's own rate.

        Raises NotForAudio for a tensor model and for a model that needs the whole recording.
        """
        framing, network = self._require_audio()
        return StreamScorer(
            framing, self.spec.sound, self._verdict, lambda items: self._score_items(network, items), rate
        )

    def _require_audio(self) -> tuple[Framing, Network]:
        if self._audio is None:
            raise NotForAudio("The model takes tensors, and its spec does not say how to make one from audio.")
        return self._audio

    def _score_items(self, network: Network, items: Array | list[Array]) -> Array:
        if self._backbone_features is not None:
            items = self._backbone_features.encode(list(items))
        if isinstance(items, np.ndarray):
            return network.score(items)
        if len({item.shape for item in items}) > 1:
            return np.concatenate([network.score(item[None]) for item in items])
        return network.score(items[0][None] if len(items) == 1 else np.stack(items))

    def _build_analysis(
        self, clip: Clip, framing: Framing, scored: float, accumulator: ScoreAccumulator, watch: Stopwatch
    ) -> Analysis:
        facts = clip.collect_facts()
        found = accumulator.finish(min(facts.duration_seconds, self.spec.sound.offset + scored))
        unscored = find_unscored(found.window_scores, found.starts, found.ends)
        findings = (*clip.collect_findings(), *unscored, *find_assumptions(self.spec))
        warnings = collect_warnings(
            self.report,
            facts,
            window_seconds=framing.window_seconds,
            scored_seconds=scored,
            last_end=found.last_end,
            abridged=found.window_labels is not None,
            events=len(found.events),
        )
        return Analysis(
            verdict=self._verdict,
            totals=found.totals,
            window_scores=found.window_scores,
            window_labels=found.window_labels,
            starts=found.starts,
            ends=found.ends,
            events=found.events,
            audio=facts,
            warnings=(*(finding.detail for finding in findings), *warnings),
            findings=findings,
            timing=watch.to_phase_times(),
        )


def _require_backbone(spec: Spec, backbone: Backbone | None) -> None:
    """Raises BackboneMissing unless `backbone` is the one that the spec names."""
    wanted = spec.backbone
    if wanted is None:
        if backbone is None:
            raise BackboneMissing(f"The model takes YAMNet's {spec.input.value}, and no backbone is installed.")
    elif backbone is None or backbone.digest != wanted.digest:
        raise BackboneMissing(
            f"The model was made for the backbone {wanted.name!r} with the digest {wanted.digest[:12]}, and "
            f"{'none' if backbone is None else 'another one'} is loaded.",
            remedy=f"Install it: understudy backbone install {wanted.name} FILE.onnx --spec SPEC.json",
        )
