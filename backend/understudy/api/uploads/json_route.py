"""Routes with a JSON body of limited size: FastAPI reads a body of any size into memory."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from understudy.api.uploads.body_limit import limit_body
from understudy.api.uploads.content_type import ContentType
from understudy.errors import RequestInvalid

MAX_JSON_BYTES = 1 << 20


class JsonRoute(APIRoute):
    """Refuses a JSON body of more than a mebibyte with BodyTooLarge, and one without its header with RequestInvalid."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_within_limit(request: Request) -> Response:
            limited = Request(request.scope, limit_body(request.receive, MAX_JSON_BYTES, "Send less JSON."))
            # Read here: FastAPI reports an error that is raised while it reads as invalid JSON.
            if await limited.body():
                _require_json(request.headers.get("content-type"))
            return await handle(limited)

        return handle_within_limit


def _require_json(header: str | None) -> None:
    """Raises RequestInvalid for another content type, such as the one that `curl -d` sends by itself."""
    content_type = ContentType.parse(header)
    if not content_type.is_json:
        raise RequestInvalid(
            f"The content type of the body is {content_type.name or 'missing'}, and JSON is expected.",
            remedy="Name the type of the body: curl -H 'Content-Type: application/json' -d '{…}'",
        )
