"""The route of a prediction without FastAPI's dependencies, which take a tenth of the time of a short clip."""

from collections.abc import MutableMapping
from typing import Any, cast
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.requests import Request
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from understudy.access.actions import Action
from understudy.api.access.permission import get_caller
from understudy.api.paths import V1
from understudy.api.v1.prediction.predict import PATH, predict
from understudy.container import Services
from understudy.schemas.inference.recording import RecordingFields
from understudy.schemas.registry.model import ModelId

_QUERY = "understudy.predict_query"


class _Query(RecordingFields):
    model_id: ModelId | None = None


_EMPTY = _Query()


class FastPredictRoute(Route):
    """Matches a prediction whose query is valid. The router answers all others, because it words what is wrong."""

    def __init__(self) -> None:
        super().__init__(f"{V1}{PATH}", _FastPredict(), methods=["POST"])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        if match is not Match.FULL:
            return Match.NONE, {}
        try:
            query = _parse_query(scope["query_string"])
        except ValidationError:
            return Match.NONE, {}
        # The counters know the documented route by its endpoint.
        return match, cast("MutableMapping[str, Any]", {**found, "endpoint": predict, _QUERY: query})


class _FastPredict:
    """Calls the endpoint of the documented route with what FastAPI would give it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = get_caller(scope)
        caller.require(Action.PREDICT)
        query: _Query = scope[_QUERY]
        services = cast("Services", scope["state"]["services"])
        response = await predict(services, Request(scope, receive), query, caller, query.model_id)
        await response(scope, receive, send)


def _parse_query(query: bytes) -> _Query:
    """Return the fields of a query; the last one of a name holds. Raises ValidationError."""
    if not query:
        return _EMPTY
    return _Query.model_validate(dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True)))
