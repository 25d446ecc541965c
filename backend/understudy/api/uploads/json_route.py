"""Routes whose body is JSON, which FastAPI would read into memory however much there is of it."""

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

        async def bounded(request: Request) -> Response:
            within = Request(request.scope, limit_body(request.receive, MAX_JSON_BYTES, "Send less JSON."))
            await within.body()  # here already: FastAPI takes what is raised while it reads for a body that is no JSON
            return await handle(within)

        return bounded
