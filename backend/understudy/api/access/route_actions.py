"""Holds every route to a name of its action, so that a new one cannot be open by mistake."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Route

from understudy.access.actions import Action
from understudy.api.access.permission import GuardedApp, find_action
from understudy.api.paths import DOCS, OPENAPI, REDOC, is_below


def guard_docs(app: FastAPI) -> None:
    """Put the documentation, which FastAPI adds by itself, behind a permission."""
    for route in app.router.routes:
        if isinstance(route, Route) and any(is_below(route.path, place) for place in (DOCS, REDOC, OPENAPI)):
            route.app = GuardedApp(route.app, Action.READ_DOCS)


def iter_route_actions(app: FastAPI) -> Iterator[tuple[Any, Action | None]]:
    """Yield each route and WebSocket of the application with the action that it names."""
    for found in iter_route_contexts(app.routes):
        yield found, find_action(found)


def require_actions(app: FastAPI) -> None:
    """Raises RuntimeError for a route that names no action."""
    for found, action in iter_route_actions(app):
        if action is None:
            raise RuntimeError(f"The route {found.path_format} names no action: add dependencies=require(Action.…).")
