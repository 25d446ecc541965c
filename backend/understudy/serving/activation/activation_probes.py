"""Runs a model on unusual recordings before it goes live."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from statistics import median

import structlog
from cachetools import LRUCache

from understudy.engine.engine import Engine, EngineModel, Priority
from understudy.errors import ModelSetAside, ProbeFailed, Refused, TooLarge, Unavailable, WorkerDied
from understudy.inference.proof.probe_clips import make_probe_clips
from understudy.inference.proof.probe_tensors import ABSURD, make_probe_tensors
from understudy.inference.runtime.session import Tensors
from understudy.settings import Settings

log = structlog.get_logger()

_KEPT = 64
# A probe is too slow only beyond both: a busy machine makes single runs slow.
_SLOW_SECONDS = 1.0
_SLOW_RATIO = 50.0
# A worker may be ended by something else, such as the kernel when memory is short, but hardly twice on one probe.
_WORKER_TRIES = 2
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class _Probe:
    """An input in words, and a function that runs the model on it and returns the seconds that the model took.

    `comparable`: all such probes are of one size, so they should take about as long as each other. `absurd`: a model
    may refuse this input.
    """

    name: str
    run: Callable[[], Awaitable[float]]
    comparable: bool = True
    absurd: bool = False


@dataclass(frozen=True)
class _Answered:
    probe: _Probe
    seconds: float


@dataclass(frozen=True)
class _Unanswered:
    probe: _Probe
    problem: str


class ActivationProbes:
    """Runs synthetic recordings and demo clips, or tensors, on the engine that will serve the model.

    A run of the same compiled model on the same backbone is not repeated by this process.
    """

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._max_seconds = min(settings.max_audio_seconds, settings.max_whole_clip_seconds)
        self._engine = engine
        self._passed: LRUCache[str, tuple[str, ...]] = LRUCache(_KEPT)
        self._forgotten = 0

    async def require(self, model: EngineModel, key: str) -> tuple[str, ...]:
        """Run the probes of a model; return as sentences which of them it does not answer.

        `key` names the compiled model and its backbone. An error of the model on some of the probes is no refusal:
        clients get the same error. Raises ProbeFailed where a probe ends the worker process, asks for more memory than
        there is or takes much longer than the others, and where no recording is answered. Raises Unavailable where no
        worker takes a probe.
        """
        warnings = self._passed.get(key)
        if warnings is None:
            forgotten = self._forgotten
            warnings = await self._run(model)
            if forgotten == self._forgotten:  # else the model was set aside meanwhile
                self._passed[key] = warnings
        return warnings

    def forget(self, key: str) -> None:
        """Have the next activation of this compiled model run the probes again."""
        self._passed.pop(key, None)
        self._forgotten += 1

    async def _run(self, model: EngineModel) -> tuple[str, ...]:
        began = time.perf_counter()
        probes = await asyncio.to_thread(self._make_probes, model)
        outcomes = [await _run_probe(probe) for probe in probes]
        answered = [each for each in outcomes if isinstance(each, _Answered)]
        unanswered = [each for each in outcomes if isinstance(each, _Unanswered) and not each.probe.absurd]
        problems = _list_problems(unanswered)
        if not model.report.takes_tensors_only and all(each.probe.absurd for each in answered):
            raise ProbeFailed(f"The model answers no recording: {' '.join(problems)}")
        await _require_even_cost([each for each in answered if each.probe.comparable])
        log.info(
            "probes run",
            digest=model.report.source_digest,
            probes=len(probes),
            unanswered=[each.probe.name for each in unanswered],
            seconds=round(time.perf_counter() - began, 3),
        )
        return problems

    def _make_probes(self, model: EngineModel) -> list[_Probe]:
        if model.report.takes_tensors_only:
            return [
                _Probe(name, partial(self._infer, model, tensors), absurd=name == ABSURD)
                for name, tensors in make_probe_tensors(model.report).items()
            ]
        return [
            _Probe(clip.name, partial(self._score, model, clip.content), clip.comparable, clip.absurd)
            for clip in make_probe_clips(model.spec, self._max_seconds)
        ]

    async def _score(self, model: EngineModel, content: bytes) -> float:
        scored = await self._engine.score_clip(model, BytesIO(content), Priority.REHEARSAL)
        timing = scored.analysis.timing
        return (scored.opening + timing.decode + timing.features + timing.inference) / 1e3

    async def _infer(self, model: EngineModel, tensors: Tensors) -> float:
        began = time.perf_counter()
        _, waited = await self._engine.infer(model, tensors)
        return time.perf_counter() - began - waited / 1e3


async def _run_probe(probe: _Probe) -> _Answered | _Unanswered:
    """Raises ProbeFailed where the probe ends worker processes or takes all memory, and Unavailable."""
    try:
        return _Answered(probe, await _run_with_patience(probe))
    except (WorkerDied, ModelSetAside) as error:
        raise ProbeFailed(f"The model ends worker processes on {probe.name}. {error.detail}") from error
    except (Refused, TooLarge) as error:
        if "allocat" in error.detail and "memory" in error.detail:
            raise ProbeFailed(f"The model takes all memory on {probe.name}. {error.detail}") from error
        return _Unanswered(probe, error.detail)


async def _run_with_patience(probe: _Probe) -> float:
    """Run the probe again where a worker died, and for some seconds where none takes it."""
    deaths, until = 0, time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await probe.run()
        except ModelSetAside:
            raise
        except WorkerDied:
            deaths += 1
            if deaths == _WORKER_TRIES:
                raise
        except Unavailable:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


async def _require_even_cost(answered: Sequence[_Answered]) -> None:
    """Raise ProbeFailed where one of the probes takes much longer than the others, twice; the slowest is named."""
    for each in sorted(answered, key=lambda other: other.seconds, reverse=True):
        usual = median(other.seconds for other in answered)
        if each.seconds <= max(_SLOW_SECONDS, _SLOW_RATIO * usual):
            continue
        again = await _run_probe(each.probe)
        seconds = min(each.seconds, again.seconds) if isinstance(again, _Answered) else each.seconds
        if seconds > max(_SLOW_SECONDS, _SLOW_RATIO * usual):
            raise ProbeFailed(
                f"The model takes {seconds:.2f} s for {each.probe.name}, and {usual:.3f} s for other inputs of this "
                "size: its cost depends on their values."
            )


def _list_problems(unanswered: Sequence[_Unanswered]) -> tuple[str, ...]:
    """Return a sentence for each problem, which names the probes that have it."""
    names: dict[str, list[str]] = {}
    for each in unanswered:
        names.setdefault(each.problem, []).append(each.probe.name)
    return tuple(f"The model does not answer {', '.join(named)}: {problem}" for problem, named in names.items())
