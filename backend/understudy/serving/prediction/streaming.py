"""Scores a microphone's stream with the live model, across swaps."""

from collections.abc import Iterator

import numpy as np

from understudy.audio.decoding.reader import Samples
from understudy.audio.mono import MonoStream
from understudy.audio.pcm import decode_pcm
from understudy.engine.scheduling.worker_pool import WorkerPool
from understudy.errors import BodyTooLarge
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
from understudy.serving.sync.live_model import LoadedModel

StreamMessage = StreamReady | StreamSwap | StreamWindow


def build_message_too_large(limit: int) -> BodyTooLarge:
    """Return the error for a message of more than `limit` bytes."""
    return BodyTooLarge(
        f"A message of the stream is larger than {limit} bytes.",
        remedy="Send the samples in smaller messages, such as 0.1 to 1 second each, or raise "
        "UNDERSTUDY_MAX_STREAM_MESSAGE_BYTES.",
    )


class Streaming:
    """Opens streams. A stream that names a model's id keeps that model."""

    def __init__(self, predictor: Predictor, pool: WorkerPool) -> None:
        self._predictor = predictor
        self._pool = pool

    async def open(self, start: StreamStart, model_id: int | None) -> "LiveStream":
        """Return an open stream.

        Raises NoActiveModel, ModelNotLoaded, NotForAudio and, for `model_id`, what preparing that model raises.
        """
        model, generation = await self._predictor.choose(model_id)
        return LiveStream(start, _StreamSegment(start, model, generation), self._predictor, self._pool, model_id)


class LiveStream:
    """One connection's stream.

    A swap of the live model is sent as a message. The new model scores every window that the old one did not complete.
    """

    def __init__(
        self,
        start: StreamStart,
        segment: "_StreamSegment",
        predictor: Predictor,
        pool: WorkerPool,
        model_id: int | None,
    ) -> None:
        self._start = start
        self._segment = segment
        self._predictor = predictor
        self._pool = pool
        self._model_id = model_id

    def build_ready(self) -> StreamReady:
        """Return the message that the stream is open."""
        segment = self._segment
        return StreamReady(model=segment.model.identity, generation=segment.generation, spec=segment.spec)

    async def push(self, message: bytes) -> list[StreamMessage]:
        """Return the messages to send after one message of samples, encoded as the stream's start says.

        Raises AudioUnusable for bytes that are not samples and CannotServe when the model fails.
        """
        messages: list[StreamMessage] = []
        if self._model_id is None:
            model, generation = await self._predictor.choose(None)
            if generation != self._segment.generation:
                (successor, windows), _ = await self._pool.infer(
                    self._segment.hand_over, self._start, model, generation
                )
                self._segment = successor
                messages += [successor.build_swap(), *windows]
        samples = decode_pcm(message, self._start.encoding, self._start.channels)
        windows, _ = await self._pool.infer(self._segment.push, samples)
        return [*messages, *windows]

    async def finish(self) -> list[StreamMessage]:
        """Return the windows that the end of the stream completes."""
        return list((await self._pool.infer(self._segment.finish))[0])


class _StreamSegment:
    """One model's part of a stream, from `begin` seconds on. Its methods run on a worker thread.

    It keeps the samples since the start of the next window, so that another model can continue from there.
    """

    def __init__(self, start: StreamStart, model: LoadedModel, generation: int | None, begin: float = 0.0) -> None:
        self.model = model
        self.generation = generation
        self._scorer: StreamScorer = model.pipeline.create_stream_scorer()
        self._mono = MonoStream(start.channels, start.sample_rate, self._scorer.rate, self._scorer.sound)
        self._rate = start.sample_rate
        self._begin = begin
        self._kept: list[Samples] = []
        self._kept_from = 0
        self._next = 0.0

    @property
    def spec(self) -> StreamSpec:
        spec = self.model.pipeline.spec
        return StreamSpec(
            window_seconds=self._scorer.window_seconds,
            hop_seconds=self._scorer.hop_seconds,
            labels=spec.labels,
            thresholds=spec.thresholds,
        )

    def build_swap(self) -> StreamSwap:
        return StreamSwap(at=self._begin, model=self.model.identity, generation=self.generation, spec=self.spec)

    def push(self, samples: Samples) -> list[StreamWindow]:
        self._keep(samples)
        return list(self._iter_messages(self._scorer.push(self._mono.resample(self._mono.mix(samples)))))

    def finish(self) -> list[StreamWindow]:
        tail = self._scorer.push(self._mono.finish())
        return list(self._iter_messages([*tail, *self._scorer.finish()]))

    def hand_over(
        self, start: StreamStart, model: LoadedModel, generation: int | None
    ) -> tuple["_StreamSegment", list[StreamWindow]]:
        """Return the next model's part, and the windows that it completes with the samples received so far.

        It begins with the first window that this part did not complete.
        """
        successor = _StreamSegment(start, model, generation, self._begin + self._next)
        skipped = round(self._next * self._rate) - self._kept_from
        samples = np.concatenate(self._kept)[skipped:] if self._kept else None
        return successor, successor.push(samples) if samples is not None and len(samples) else []

    def _keep(self, samples: Samples) -> None:
        self._kept.append(samples)
        while self._kept and self._kept_from + len(self._kept[0]) <= round(self._next * self._rate):
            self._kept_from += len(self._kept.pop(0))

    def _iter_messages(self, windows: list[Window]) -> Iterator[StreamWindow]:
        for window in windows:
            self._next = window.start + self._scorer.hop_seconds
            yield StreamWindow(
                **window.model_dump() | {"start": self._begin + window.start, "end": self._begin + window.end},
                model=self.model.identity,
                generation=self.generation,
            )
