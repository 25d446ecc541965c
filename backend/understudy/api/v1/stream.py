"""Scores a microphone over a WebSocket."""

from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ValidationError

from understudy.api.dependencies import RehearsedModelId, Served
from understudy.api.error_handlers import refuse_stream
from understudy.container import Services
from understudy.errors import RequestInvalid, UnderstudyError
from understudy.schemas.inference.stream import StreamEnd, StreamStart

router = APIRouter(tags=["predict"])


@router.websocket("/stream")
async def stream(socket: WebSocket, services: Served, model_id: RehearsedModelId = None) -> None:
    """`StreamStart` first, then binary frames; windows come back as they complete. `{"type": "end"}` ends it."""
    await socket.accept()
    with services.counters.count_stream(), suppress(WebSocketDisconnect):
        try:
            await _score_stream(socket, services, model_id)
        except UnderstudyError as error:
            await refuse_stream(socket, error.problem())


async def _score_stream(socket: WebSocket, services: Services, model_id: int | None) -> None:
    scorer = await services.streaming.open(await _receive_start(socket), model_id)
    await _send(socket, scorer.build_ready())
    while (message := await _receive_samples(socket)) is not None:
        for scored in await scorer.push(message):
            await _send(socket, scored)
    for scored in await scorer.finish():
        await _send(socket, scored)
    await socket.close()


async def _send(socket: WebSocket, message: BaseModel) -> None:
    await socket.send_text(message.model_dump_json())


async def _receive_start(socket: WebSocket) -> StreamStart:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    try:
        return StreamStart.model_validate_json(message.get("text") or "")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "first message"
        raise RequestInvalid(
            f"{where}: {first['msg']}.",
            remedy='Begin with {"sample_rate": 48000, "encoding": "pcm16", "channels": 1}.',
        ) from error


async def _receive_samples(socket: WebSocket) -> bytes | None:
    """The next samples; None when the client ends the stream in order."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    if (samples := message.get("bytes")) is not None:
        return bytes(samples)
    try:
        StreamEnd.model_validate_json(message.get("text") or "")
    except ValidationError as error:
        raise RequestInvalid('Only samples and {"type": "end"} may follow the first message.') from error
    return None
