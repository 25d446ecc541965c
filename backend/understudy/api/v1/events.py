"""Sends changes as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from understudy.access.actions import Action
from understudy.api.access.permission import require
from understudy.api.dependencies import Served
from understudy.api.paths import EVENTS
from understudy.schemas.server.event import EventData

router = APIRouter(tags=["status"])


# OpenAPI 3.2 describes one event: https://spec.openapis.org/oas/v3.2.0.html#server-sent-event-streams
_EVENTS = {
    "oneOf": [
        {
            "type": "object",
            "required": ["event", "data"] if name == "heartbeat" else ["id", "event", "data"],
            "properties": {
                "id": {"type": "string"},
                "event": {"const": name},
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"$ref": f"#/components/schemas/EventData/properties/{name}"},
                },
            },
        }
        for name in EventData.model_fields
    ]
}


@router.get(
    EVENTS,
    summary="Follow changes",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": {"itemSchema": _EVENTS}}}},
    dependencies=require(Action.VIEW),
)
async def follow_events(
    services: Served,
    last_event_id: Annotated[int | None, Header(ge=0, description="Continue after this event")] = None,
    after: Annotated[
        int | None, Query(ge=0, alias="last_event_id", description="The same, for a first request")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """`hello`, `stage`, `models` and `operation` events of all processes; a client that reconnects misses nothing.

    A `heartbeat` comes after two seconds without another event.
    """
    async for event in services.events.subscribe(after if last_event_id is None else last_event_id):
        position = None if event.position is None else str(event.position)
        yield ServerSentEvent(event=event.name, id=position, data=event.data)
    if services.events.closed:
        yield ServerSentEvent(comment="goodbye: the server stops")
