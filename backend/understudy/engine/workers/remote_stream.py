"""A stream whose state lies in one worker."""

from collections.abc import Awaitable, Callable

from understudy.engine.wire.channel import Frame
from understudy.engine.wire.content import Content, pack, unpack
from understudy.engine.wire.messages import (
    CloseStream,
    FinishStream,
    FromWorker,
    PushStream,
    StreamOpened,
    ToWorker,
)
from understudy.engine.wire.window_codec import decode_windows
from understudy.schemas.inference.stream import StreamedWindow

_MAX_ANSWER = 64 << 20

Send = Callable[[Callable[[int], ToWorker], Content], Awaitable[tuple[FromWorker, Frame]]]


class RemoteStream:
    """Implements `EngineStream`."""

    def __init__(self, number: int, opened: StreamOpened, send: Send, tell: Callable[[ToWorker], None]) -> None:
        """`send` gives a message that it makes of a number to the stream's worker; it raises StreamLost and WorkerDied.

        `tell` gives it a message that has no answer.
        """
        self.window_seconds = opened.window_seconds
        self.hop_seconds = opened.hop_seconds
        self._number = number
        self._send = send
        self._tell = tell

    async def push(self, message: bytes) -> list[StreamedWindow]:
        content = pack([message])
        try:
            return await self._score(lambda request: PushStream(request=request, stream=self._number), content)
        finally:
            content.close()

    async def finish(self) -> list[StreamedWindow]:
        return await self._score(lambda request: FinishStream(request=request, stream=self._number), Content())

    def close(self) -> None:
        self._tell(CloseStream(stream=self._number))

    async def _score(self, build: Callable[[int], ToWorker], content: Content) -> list[StreamedWindow]:
        _, frame = await self._send(build, content)
        return decode_windows(unpack(frame, _MAX_ANSWER))
