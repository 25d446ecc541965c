"""The one place where a route asks whether its caller may use it."""

from collections.abc import Sequence
from typing import Annotated, Any, cast

from fastapi import Depends
from fastapi.params import Depends as Dependency
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from understudy.access.actions import Action
from understudy.access.caller import Caller
from understudy.errors import NotAllowed
from understudy.schemas.access.actor import ActingPrincipal, Actor, Source
from understudy.schemas.access.role import Role
from understudy.schemas.inference.recording import RecordingFields

_CALLER = "understudy.caller"


def set_caller(scope: Scope, caller: Caller) -> None:
    """Keep who sends the request with it; the guard around all routes calls this once."""
    scope[_CALLER] = caller


def get_caller(scope: Scope) -> Caller:
    return cast("Caller", scope[_CALLER])


def build_actor(connection: HTTPConnection) -> Actor:
    """Return who asked for a change over HTTP, for the history and `created_by_user_id`.

    The page of a server without accounts has no session; browsers say of its requests that they are of the same origin.
    """
    caller = get_caller(connection.scope)
    by_page = caller.by_session or connection.headers.get("sec-fetch-site") == "same-origin"
    principal = None
    if caller.kind is not None:
        principal = ActingPrincipal(caller.principal_id, caller.name, caller.kind)
    return Actor(Source.PAGE if by_page else Source.API, principal)


async def _depend_on_actor(connection: HTTPConnection) -> Actor:
    return build_actor(connection)


async def _depend_on_caller(connection: HTTPConnection) -> Caller:
    return get_caller(connection.scope)


CurrentCaller = Annotated[Caller, Depends(_depend_on_caller)]
CurrentActor = Annotated[Actor, Depends(_depend_on_actor)]


class Permission:
    """A dependency that raises NotSignedIn and NotAllowed unless the caller may do `action`."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, connection: HTTPConnection) -> None:
        get_caller(connection.scope).require(self.action)


def require(action: Action) -> Sequence[Dependency]:
    """Return the `dependencies` of a route: each route and WebSocket names its action so."""
    return [Depends(Permission(action))]


class GuardedApp:
    """An ASGI application that is no route of FastAPI's, behind a permission."""

    def __init__(self, app: ASGIApp, action: Action) -> None:
        self._app = app
        self.action = action

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        get_caller(scope).require(self.action)
        await self._app(scope, receive, send)


def require_rehearsal(caller: Caller, model_id: int | None) -> None:
    """Raises NotAllowed where the request names a model and the caller may use the live one only."""
    if model_id is not None:
        caller.require(Action.REHEARSE)


def restrict_source(caller: Caller, fields: RecordingFields) -> RecordingFields:
    """Return the fields with the device's own source. Raises NotAllowed where a device names another one."""
    if caller.role is not Role.DEVICE:
        return fields
    if fields.source not in (None, caller.source):
        raise NotAllowed(
            f"The key of the device {caller.name} is for the source {caller.source} only.",
            remedy="Leave `source` out, or make a key for this source: `understudy keys create NAME --role device "
            "--source SOURCE`.",
        )
    return fields.model_copy(update={"source": caller.source})


def find_action(route: Any) -> Action | None:
    """Return the action that a route names, or None for a route without one."""
    for app in (getattr(route, "app", None), getattr(route, "endpoint", None)):
        if isinstance(action := getattr(app, "action", None), Action):
            return action
    pending = [*getattr(getattr(route, "dependant", None), "dependencies", ())]
    while pending:
        dependant = pending.pop()
        if isinstance(dependant.call, Permission):
            return dependant.call.action
        pending += dependant.dependencies
    return None
