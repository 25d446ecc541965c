"""Scores a microphone's stream with the live model, across swaps."""

from collections.abc import Iterator
from typing import Self

from understudy.audio.pcm import count_frame_bytes
from understudy.engine.engine import Engine, EngineStream, StreamLost
from understudy.errors import AudioUnusable, BodyTooLarge, WorkerDied
from understudy.schemas.compiler.assumptions import find_assumptions
from understudy.schemas.inference.finding import Finding, FindingCode
from understudy.schemas.inference.stream import (
    StreamedWindow,
    StreamReady,
    StreamSpec,
    StreamStart,
    StreamSwap,
    StreamWindow,
)
from understudy.serving.prediction.predictor import Predictor
from understudy.serving.sync.live_model import LoadedModel

# Times that a stream goes on in another process where the one before it ended at once.
_MAX_REOPENED = 5

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

    def __init__(self, predictor: Predictor, engine: Engine) -> None:
        self._predictor = predictor
        self._engine = engine

    async def open(self, start: StreamStart, model_id: int | None) -> "LiveStream":
        """Return an open stream, which the caller closes.

        Raises NoActiveModel, ModelNotLoaded, NotForAudio and, for `model_id`, what preparing that model raises.
        """
        model, generation = await self._predictor.choose(model_id)
        segment = await _StreamSegment.open(self._engine, start, model, generation)
        return LiveStream(start, segment, self._predictor, self._engine, model_id)


class LiveStream:
    """One connection's stream.

    A swap of the live model is sent as a message. The new model scores every window that the old one did not complete.
    """

    def __init__(
        self,
        start: StreamStart,
        segment: "_StreamSegment",
        predictor: Predictor,
        engine: Engine,
        model_id: int | None,
    ) -> None:
        self._start = start
        self._segment = segment
        self._predictor = predictor
        self._engine = engine
        self._model_id = model_id
        self._frame_bytes = count_frame_bytes(start.encoding, start.channels)
        self._received = 0  # frames
        self._part = b""  # of a frame that the next message completes

    @property
    def received_seconds(self) -> float:
        """Seconds of sound that `push` was called with."""
        return self._received / self._start.sample_rate

    def build_ready(self) -> StreamReady:
        """Return the message that the stream is open."""
        segment = self._segment
        return StreamReady(
            model=segment.model.identity,
            generation=segment.generation,
            spec=segment.spec,
            findings=segment.assumptions,
        )

    async def push(self, message: bytes) -> list[StreamMessage]:
        """Return the messages to send after one message of samples, encoded as the stream's start says.

        The next message may complete a frame. Raises AudioUnusable for samples that cannot be used, CannotServe when
        the model fails, and WorkerDied.
        """
        messages: list[StreamMessage] = []
        message = self._part + message
        whole = len(message) - len(message) % self._frame_bytes
        message, self._part = message[:whole], message[whole:]
        self._received += whole // self._frame_bytes
        if self._model_id is None:
            model, generation = await self._predictor.choose(None)
            if generation != self._segment.generation:
                windows = await self._hand_over(model, generation)
                messages += [self._segment.build_swap(), *windows]
        while True:
            try:
                return [*messages, *await self._segment.push(message)]
            except StreamLost:
                messages += await self._reopen()

    async def finish(self) -> list[StreamMessage]:
        """Return the windows that the end of the stream completes; the last names the bytes of a part of a frame.

        Raises AudioUnusable for such bytes where no window is left to name them.
        """
        messages: list[StreamMessage] = []
        while True:
            try:
                messages += await self._segment.finish()
                break
            except StreamLost:
                messages += await self._reopen()
        return self._name_part(messages) if self._part else messages

    def _name_part(self, messages: list[StreamMessage]) -> list[StreamMessage]:
        detail = f"The stream ends within a frame: its last {len(self._part)} bytes were not decoded."
        if not messages or not isinstance(last := messages[-1], StreamWindow):
            raise AudioUnusable(
                detail,
                remedy="The windows that you received hold. Send whole frames, and declare the encoding and the "
                "channels that you send in the first message.",
            )
        found = Finding(code=FindingCode.TRAILING_DATA, detail=detail, bytes=len(self._part))
        return [*messages[:-1], last.model_copy(update={"findings": (*last.findings, found)})]

    def close(self) -> None:
        """Free the state of the stream."""
        self._segment.close()

    async def _reopen(self) -> list[StreamWindow]:
        """Go on with the same model where the process that kept the stream's state has ended."""
        return await self._hand_over(self._segment.model, self._segment.generation)

    async def _hand_over(self, model: LoadedModel, generation: int | None) -> list[StreamWindow]:
        """Go on with `model`, and return the windows that it completes at once. Raises WorkerDied."""
        for _ in range(_MAX_REOPENED):
            try:
                successor, windows = await self._segment.hand_over(model, generation)
            except StreamLost:
                continue
            self._segment.close()
            self._segment = successor
            return windows
        raise WorkerDied(f"{_MAX_REOPENED} worker processes ended on this stream.")


class _StreamSegment:
    """One model's part of a stream, from `begin` seconds on.

    It keeps the samples since the start of the next window, so that another model can continue from there.
    """

    def __init__(
        self, engine: Engine, start: StreamStart, model: LoadedModel, generation: int | None, stream: EngineStream
    ) -> None:
        self.model = model
        self.generation = generation
        self._engine = engine
        self._start = start
        self._stream = stream
        self._frame_bytes = count_frame_bytes(start.encoding, start.channels)
        self._begin = 0.0
        self._kept: list[bytes] = []
        self._kept_from = 0  # frames
        self._next = 0.0

    @classmethod
    async def open(
        cls, engine: Engine, start: StreamStart, model: LoadedModel, generation: int | None, begin: float = 0.0
    ) -> Self:
        """Return a part that begins at `begin` seconds; raises NotForAudio for a model that cannot score a stream."""
        segment = cls(engine, start, model, generation, await engine.open_stream(model.engine_model, start))
        segment._begin = begin
        return segment

    @property
    def spec(self) -> StreamSpec:
        spec = self.model.engine_model.spec
        return StreamSpec(
            window_seconds=self._stream.window_seconds,
            hop_seconds=self._stream.hop_seconds,
            labels=spec.labels,
            thresholds=spec.thresholds,
        )

    @property
    def assumptions(self) -> tuple[Finding, ...]:
        """Return the assumptions that were made about the model."""
        return find_assumptions(self.model.engine_model.spec)

    def build_swap(self) -> StreamSwap:
        return StreamSwap(
            at=self._begin,
            model=self.model.identity,
            generation=self.generation,
            spec=self.spec,
            findings=self.assumptions,
        )

    async def push(self, message: bytes) -> list[StreamWindow]:
        windows = await self._stream.push(message)
        self._keep(message)
        return list(self._iter_messages(windows))

    async def finish(self) -> list[StreamWindow]:
        return list(self._iter_messages(await self._stream.finish()))

    def close(self) -> None:
        self._stream.close()

    async def hand_over(
        self, model: LoadedModel, generation: int | None
    ) -> tuple["_StreamSegment", list[StreamWindow]]:
        """Return the next model's part, and the windows that it completes with the samples received so far.

        It begins with the first window that this part did not complete.
        """
        successor = await self.open(self._engine, self._start, model, generation, self._begin + self._next)
        skipped = (self._count_next_frames() - self._kept_from) * self._frame_bytes
        samples = b"".join(self._kept)[skipped:]
        try:
            return successor, await successor.push(samples) if samples else []
        except BaseException:
            successor.close()
            raise

    def _count_next_frames(self) -> int:
        return round(self._next * self._start.sample_rate)

    def _keep(self, message: bytes) -> None:
        self._kept.append(message)
        while self._kept:
            frames = len(self._kept[0]) // self._frame_bytes
            if self._kept_from + frames > self._count_next_frames():
                return
            self._kept_from += frames
            del self._kept[0]

    def _iter_messages(self, windows: list[StreamedWindow]) -> Iterator[StreamWindow]:
        for window in windows:
            self._next = window.start + self._stream.hop_seconds
            yield StreamWindow(
                start=self._begin + window.start,
                end=self._begin + window.end,
                label=window.label,
                score=window.score,
                scores=window.scores,
                findings=tuple(self._shift(finding) for finding in window.findings),
                model=self.model.identity,
                generation=self.generation,
            )

    def _shift(self, finding: Finding) -> Finding:
        """Return a finding of this part with times since the start of the whole stream."""
        start, end = (None if time is None else self._begin + time for time in (finding.start, finding.end))
        return finding.model_copy(update={"start": start, "end": end})
