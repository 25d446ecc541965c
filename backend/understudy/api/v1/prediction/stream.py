"""Scores a microphone over a WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ValidationError

from understudy.access.actions import Action
from understudy.api.access.permission import CurrentCaller, require, require_rehearsal
from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.problems.error_handlers import POLICY_VIOLATION, build_unforeseen_problem, refuse_stream
from understudy.container import Services
from understudy.errors import BodyTooLarge, RequestInvalid, RequestTimeout, UnderstudyError
from understudy.schemas.inference.stream import StreamEnd, StreamHeartbeat, StreamStart
from understudy.serving.prediction.streaming import LiveStream, build_message_too_large

log = structlog.get_logger()

router = APIRouter(tags=["predict"])

# The status codes of RFC 6455, section 7.4.1.
_MESSAGE_TOO_BIG = 1009
_INTERNAL_ERROR = 1011


@router.websocket("/stream", dependencies=require(Action.PREDICT))
async def stream(socket: WebSocket, services: Served, caller: CurrentCaller, model_id: RehearsedModelId = None) -> None:
    """`StreamStart` first, then binary frames; windows come back as they complete. `{"type": "end"}` ends it."""
    require_rehearsal(caller, model_id)
    await socket.accept()
    with services.counters.count_stream(), suppress(WebSocketDisconnect):
        try:
            await _score_stream(socket, services, model_id)
        except UnderstudyError as error:
            code = _MESSAGE_TOO_BIG if isinstance(error, BodyTooLarge) else POLICY_VIOLATION
            await refuse_stream(socket, error.problem(), code)
        except WebSocketDisconnect:
            raise
        except Exception as error:  # the framework would close the socket without a word
            log.error("stream failed", path=socket.url.path, exc_info=error)
            await refuse_stream(socket, build_unforeseen_problem(), _INTERNAL_ERROR)


async def _score_stream(socket: WebSocket, services: Services, model_id: int | None) -> None:
    limit = services.settings.max_stream_message_bytes
    start = await _receive_start(socket, limit, services.settings.head_seconds)
    scorer = await services.streaming.open(start, model_id)
    with closing(scorer):
        await _send(socket, scorer.build_ready())
        async with _beat(socket, scorer, start.heartbeat_seconds):
            while (message := await _receive_samples(socket, limit)) is not None:
                for scored in await scorer.push(message):
                    await _send(socket, scored)
            for scored in await scorer.finish():
                await _send(socket, scored)
    await socket.close()


@asynccontextmanager
async def _beat(socket: WebSocket, scorer: LiveStream, seconds: float | None) -> AsyncIterator[None]:
    """Send heartbeats while the block runs, also while it waits for samples or for a model."""

    async def beat(pause: float) -> None:
        with suppress(WebSocketDisconnect):  # the block receives the disconnect as well
            while True:
                await asyncio.sleep(pause)
                await _send(socket, StreamHeartbeat(received=scorer.received_seconds))

    task = None if seconds is None else asyncio.create_task(beat(seconds))
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _send(socket: WebSocket, message: BaseModel) -> None:
    await socket.send_text(message.model_dump_json())


async def _receive(socket: WebSocket, limit: int) -> str | bytes:
    """Return the client's next message. Raises WebSocketDisconnect and BodyTooLarge.

    The server's own limit is another one where another server than `understudy serve` runs the application.
    """
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    samples, text = message.get("bytes"), message.get("text") or ""
    if len(text.encode() if samples is None else samples) > limit:
        raise build_message_too_large(limit)
    return text if samples is None else bytes(samples)


async def _receive_start(socket: WebSocket, limit: int, seconds: float) -> StreamStart:
    """Return the first message. Raises RequestTimeout where it does not arrive: the socket would be held for ever."""
    try:
        async with asyncio.timeout(seconds):
            message = await _receive(socket, limit)
    except TimeoutError as error:
        raise RequestTimeout(
            f"The first message did not arrive within {seconds:g} s.",
            remedy="Send it as soon as the connection is open.",
        ) from error
    try:
        return StreamStart.model_validate_json(message if isinstance(message, str) else "")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "first message"
        raise RequestInvalid(
            f"{where}: {first['msg']}.",
            remedy='Begin with {"sample_rate": 48000, "encoding": "pcm16", "channels": 1}.',
        ) from error


async def _receive_samples(socket: WebSocket, limit: int) -> bytes | None:
    """The next samples; None when the client ends the stream in order."""
    message = await _receive(socket, limit)
    if isinstance(message, bytes):
        return message
    try:
        StreamEnd.model_validate_json(message)
    except ValidationError as error:
        raise RequestInvalid('Only samples and {"type": "end"} may follow the first message.') from error
    return None
