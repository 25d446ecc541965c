"""Predicts many recordings with one model."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from understudy.engine.engine import Priority
from understudy.errors import UnderstudyError
from understudy.schemas.inference.batch import BatchLine
from understudy.schemas.server.problem import Problem
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.sync.live_model import LoadedModel
from understudy.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class NamedClip:
    """A recording and its name. `source` is a seekable file that no other clip uses."""

    name: str
    source: BinaryIO


class BatchPredictor:
    """Predicts only as many recordings of a batch at once as keep the worker threads busy, so that others get in."""

    def __init__(self, settings: Settings, predictor: Predictor) -> None:
        self._predictor = predictor
        self._at_once = settings.inference_threads + 1  # one waits while the answer of another is written

    async def predict(
        self, clips: Iterable[NamedClip], model_id: int | None, *, strict: bool | None = None
    ) -> AsyncGenerator[BatchLine]:
        """Return an iterator of the lines as they complete, all by the model that is live now or by `model_id`.

        Raises what `Predictor.choose` raises. The error of a recording is on its line. Recordings that have not begun
        when the iterator is closed are not predicted. `strict` is that of `Predictor.predict_with`.
        """
        model, generation = await self._predictor.choose(model_id)
        return self._predict_lines(clips, model, generation, strict)

    async def _predict_lines(
        self, clips: Iterable[NamedClip], model: LoadedModel, generation: int | None, strict: bool | None
    ) -> AsyncGenerator[BatchLine]:
        waiting = iter(enumerate(clips))
        running: set[asyncio.Task[BatchLine]] = set()
        try:
            while True:
                while len(running) < self._at_once and (following := next(waiting, None)) is not None:
                    running.add(asyncio.create_task(self._predict_line(*following, model, generation, strict)))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()

    async def _predict_line(
        self, index: int, clip: NamedClip, model: LoadedModel, generation: int | None, strict: bool | None
    ) -> BatchLine:
        try:
            result = await self._predictor.predict_with(clip.source, model, generation, Priority.BATCH, strict=strict)
        except UnderstudyError as error:
            return BatchLine(index=index, file=clip.name, generation=generation, problem=Problem.from_error(error))
        except Exception:  # the failure of one recording must not end the others
            log.exception("recording of a batch failed", index=index)
            problem = Problem.from_error(UnderstudyError("The server met an unexpected error."))
            return BatchLine(index=index, file=clip.name, generation=generation, problem=problem)
        return BatchLine(index=index, file=clip.name, generation=generation, prediction=await result.complete())
