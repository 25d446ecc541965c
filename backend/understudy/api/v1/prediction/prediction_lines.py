"""Answers a prediction line by line, with its windows while the rest of the recording is scored."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial

import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import iterate_in_threadpool
from starlette.types import Receive, Scope, Send

from understudy.access.caller import Caller
from understudy.api.access.permission import restrict_source
from understudy.api.disconnect_watch import DisconnectWatch
from understudy.api.problems.error_handlers import refuse_rest
from understudy.api.recording_notes import finish_prediction, remember_recording
from understudy.api.uploads.audio_upload import receive_recording
from understudy.container import Services
from understudy.errors import UnderstudyError
from understudy.inference.pipeline.window_reporter import OnWindows
from understudy.schemas.inference.prediction import Window
from understudy.schemas.inference.prediction_parts import PredictionFailed, PredictionStarted, PredictionWindows
from understudy.schemas.inference.recording import RecordingFields
from understudy.serving.prediction.prediction_in_parts import PredictionInParts
from understudy.serving.prediction.prediction_result import PredictionResult

log = structlog.get_logger()

LINES = "application/x-ndjson"
# Proxies that hold answers back until they are whole must not: nginx reads this header.
_HEADERS = {"X-Accel-Buffering": "no"}

Finish = Callable[[PredictionResult], PredictionResult]


def accepts_lines(request: Request) -> bool:
    """Return whether the client asks for the answer line by line."""
    ranges = request.headers.get("accept", "").split(",")
    return any(each.split(";")[0].strip().lower() == LINES for each in ranges)


async def answer_in_lines(
    services: Services, request: Request, query: RecordingFields, caller: Caller, model_id: int | None
) -> StreamingResponse:
    """Return the response, once the first windows or the answer are there.

    Raises what the plain prediction raises: a recording that is refused by then has an ordinary problem as its answer.
    """
    async with AsyncExitStack() as stack:
        clip = await stack.enter_async_context(receive_recording(request, services.settings.max_upload_bytes, query))
        fields = restrict_source(caller, clip.fields)
        remember_recording(request, fields)
        model, generation = await services.predictor.choose(model_id)

        async def predict(on_windows: OnWindows) -> PredictionResult:
            return await services.predictor.predict_with(
                clip.source, model, generation, strict=fields.strict, on_windows=on_windows
            )

        prediction = PredictionInParts(predict)
        stack.push_async_callback(prediction.close)
        parts = prediction.iter_parts()
        async with DisconnectWatch(request.receive):
            first = await anext(parts)
        started = PredictionStarted(model=model.identity, generation=generation)
        finish = partial(finish_prediction, services, caller, fields=fields, source=clip.source)
        lines = _write_lines(request, started, first, parts, finish)
        return _HoldingResponse(lines, stack.pop_all())
    raise AssertionError("the stack suppresses no error")


class _HoldingResponse(StreamingResponse):
    """Holds the recording and what computes on it until the answer is sent or its client has gone."""

    def __init__(self, lines: AsyncIterator[str], held: AsyncExitStack) -> None:
        super().__init__(lines, media_type=LINES, headers=_HEADERS)
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            await super().__call__(scope, receive, send)


def _format_line(line: BaseModel) -> str:
    return line.model_dump_json() + "\n"


async def _write_lines(
    request: Request,
    started: PredictionStarted,
    first: list[Window] | PredictionResult,
    rest: AsyncIterator[list[Window] | PredictionResult],
    finish: Finish,
) -> AsyncIterator[str]:
    yield _format_line(started)
    try:
        part = first
        while isinstance(part, list):
            yield _format_line(PredictionWindows(windows=tuple(part)))
            part = await anext(rest)
        result = finish(part)
    except UnderstudyError as error:
        yield _format_line(PredictionFailed(problem=refuse_rest(request, error)))
        return
    except Exception:  # no error handler can answer any more
        log.exception("prediction failed", path=request.url.path)
        problem = refuse_rest(request, UnderstudyError("The server failed with an unexpected error."))
        yield _format_line(PredictionFailed(problem=problem))
        return
    yield '{"type":"prediction","prediction":'
    async for piece in iterate_in_threadpool(result.iter_json()):
        yield piece
    yield "}\n"
