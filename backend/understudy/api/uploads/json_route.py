"""Routes with a JSON body of limited size: FastAPI reads a body of any size into memory."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from understudy.api.uploads.audio_upload import limit_body

MAX_JSON_BYTES = 1 << 20


class JsonRoute(APIRoute):
    """Refuses a JSON body of more than a mebibyte with BodyTooLarge, while it arrives."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_within_limit(request: Request) -> Response:
            limited = Request(request.scope, limit_body(request.receive, MAX_JSON_BYTES, "Send less JSON."))
            await limited.body()  # read here: FastAPI reports an error that is raised while it reads as invalid JSON
            return await handle(limited)

        return handle_within_limit
