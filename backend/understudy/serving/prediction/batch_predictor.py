"""Many recordings through one model."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from understudy.errors import UnderstudyError
from understudy.schemas.inference.batch import BatchLine
from understudy.schemas.server.problem import Problem
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.sync.live_model import LoadedModel
from understudy.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class NamedClip:
    """`source` is a seekable file of its own."""

    name: str
    source: BinaryIO


class BatchPredictor:
    """Keeps the inference threads busy with a batch, and no more than that, so that other requests come in between."""

    def __init__(self, settings: Settings, predictor: Predictor) -> None:
        self._predictor = predictor
        self._at_once = settings.inference_threads + 1  # one waits, while the answer of another is written

    async def predict(self, clips: Iterable[NamedClip], model_id: int | None) -> AsyncGenerator[BatchLine]:
        """The lines as they complete, all by the model that is live now or by `model_id`.

        Raises what `Predictor.choose` raises; what is wrong with a recording is told on its line. Closing it
        leaves what has not begun undone.
        """
        model, generation = await self._predictor.choose(model_id)
        return self._lines(clips, model, generation)

    async def _lines(
        self, clips: Iterable[NamedClip], model: LoadedModel, generation: int | None
    ) -> AsyncGenerator[BatchLine]:
        waiting = iter(enumerate(clips))
        running: set[asyncio.Task[BatchLine]] = set()
        try:
            while True:
                while len(running) < self._at_once and (following := next(waiting, None)) is not None:
                    running.add(asyncio.create_task(self._line(*following, model, generation)))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()

    async def _line(self, index: int, clip: NamedClip, model: LoadedModel, generation: int | None) -> BatchLine:
        try:
            heard = await self._predictor.hear(clip.source, model, generation)
        except UnderstudyError as error:
            return BatchLine(index=index, file=clip.name, generation=generation, problem=Problem.from_error(error))
        except Exception:  # one recording's mishap must not end the others
            log.exception("recording of a batch failed", index=index)
            problem = Problem.from_error(UnderstudyError("The server met an unexpected error."))
            return BatchLine(index=index, file=clip.name, generation=generation, problem=problem)
        return BatchLine(index=index, file=clip.name, generation=generation, prediction=await heard.whole())
