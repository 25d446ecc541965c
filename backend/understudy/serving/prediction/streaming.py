"""A microphone's stream, scored by whichever model is live."""

from collections.abc import Iterator

import numpy as np

from understudy.audio.decoding.reader import Samples
from understudy.audio.mono import MonoStream
from understudy.audio.pcm import decode_pcm
from understudy.inference.pipeline.stream_scorer import StreamScorer
from understudy.schemas.inference.prediction import Window
from understudy.schemas.inference.stream import (
    StreamReady,
    StreamSpec,
    StreamStart,
    StreamSwap,
    StreamWindow,
)
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.scheduling.worker_pool import WorkerPool
from understudy.serving.sync.live_model import LoadedModel

Told = StreamReady | StreamSwap | StreamWindow


class Streaming:
    """Opens streams; a stream named by a model's id stays with that model."""

    def __init__(self, predictor: Predictor, pool: WorkerPool) -> None:
        self._predictor = predictor
        self._pool = pool

    async def open(self, start: StreamStart, model_id: int | None) -> "LiveStream":
        """Raises NoActiveModel, ModelNotLoaded, NotForAudio and, for `model_id`, what preparing that model raises."""
        model, generation = await self._predictor.choose(model_id)
        return LiveStream(start, _StreamSegment(start, model, generation), self._predictor, self._pool, model_id)


class LiveStream:
    """One connection's stream. The swap of the live model shows as a message, and no second of sound goes unheard."""

    def __init__(
        self,
        start: StreamStart,
        hearing: "_StreamSegment",
        predictor: Predictor,
        pool: WorkerPool,
        model_id: int | None,
    ) -> None:
        self._start = start
        self._hearing = hearing
        self._predictor = predictor
        self._pool = pool
        self._model_id = model_id

    def ready(self) -> StreamReady:
        hearing = self._hearing
        return StreamReady(model=hearing.model.identity, generation=hearing.generation, spec=hearing.spec)

    async def push(self, message: bytes) -> list[Told]:
        """What there is to tell after one message of samples.

        Raises AudioUnusable for samples that are none and CannotServe when the model fails.
        """
        told: list[Told] = []
        if self._model_id is None:
            model, generation = await self._predictor.choose(None)
            if generation != self._hearing.generation:
                hearing, caught_up = (await self._pool.infer(self._hearing.hand_over, self._start, model, generation))[
                    0
                ]
                self._hearing = hearing
                told.append(hearing.swapped())
                told.extend(caught_up)
        samples = decode_pcm(message, self._start.encoding, self._start.channels)
        told.extend((await self._pool.infer(self._hearing.push, samples))[0])
        return told

    async def finish(self) -> list[Told]:
        """The windows that the end of the stream completes."""
        return list((await self._pool.infer(self._hearing.finish))[0])


class _StreamSegment:
    """One model's part of a stream, from `begin` seconds on; its methods run on a worker thread.

    Keeps the samples since the start of the next window, so that another model can take over there.
    """

    def __init__(self, start: StreamStart, model: LoadedModel, generation: int | None, begin: float = 0.0) -> None:
        self.model = model
        self.generation = generation
        self._listener: StreamScorer = model.pipeline.create_stream_scorer()
        self._mono = MonoStream(start.channels, start.sample_rate, self._listener.rate)
        self._rate = start.sample_rate
        self._begin = begin
        self._kept: list[Samples] = []
        self._kept_from = 0
        self._next = 0.0

    @property
    def spec(self) -> StreamSpec:
        spec = self.model.pipeline.spec
        return StreamSpec(
            window_seconds=self._listener.window_seconds,
            hop_seconds=self._listener.hop_seconds,
            labels=spec.labels,
            thresholds=spec.thresholds,
        )

    def swapped(self) -> StreamSwap:
        return StreamSwap(at=self._begin, model=self.model.identity, generation=self.generation, spec=self.spec)

    def push(self, samples: Samples) -> list[StreamWindow]:
        self._keep(samples)
        return list(self._named(self._listener.push(self._mono.resample(self._mono.mix(samples)))))

    def finish(self) -> list[StreamWindow]:
        tail = self._listener.push(self._mono.finish())
        return list(self._named([*tail, *self._listener.finish()]))

    def hand_over(
        self, start: StreamStart, model: LoadedModel, generation: int | None
    ) -> tuple["_StreamSegment", list[StreamWindow]]:
        """The next model's part, which begins with the first window that this one did not complete."""
        successor = _StreamSegment(start, model, generation, self._begin + self._next)
        skipped = round(self._next * self._rate) - self._kept_from
        samples = np.concatenate(self._kept)[skipped:] if self._kept else None
        return successor, successor.push(samples) if samples is not None and len(samples) else []

    def _keep(self, samples: Samples) -> None:
        self._kept.append(samples)
        while self._kept and self._kept_from + len(self._kept[0]) <= round(self._next * self._rate):
            self._kept_from += len(self._kept.pop(0))

    def _named(self, windows: list[Window]) -> Iterator[StreamWindow]:
        for window in windows:
            self._next = window.start + self._listener.hop_seconds
            yield StreamWindow(
                **window.model_dump() | {"start": self._begin + window.start, "end": self._begin + window.end},
                model=self.model.identity,
                generation=self.generation,
            )
