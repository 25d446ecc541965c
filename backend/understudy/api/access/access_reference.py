"""Writes the tables of docs/access.md; `scripts/access_tables.py` prints them."""

from itertools import groupby

from fastapi import FastAPI

from understudy.access.actions import ALLOWED, MEANINGS, PUBLIC, Action
from understudy.api.access.route_actions import iter_route_actions
from understudy.schemas.access.role import Role

_PAGE = "the page's files"


def render_matrix() -> str:
    """Return the table of actions and roles as Markdown."""
    roles = list(Role)
    lines = [
        f"| action | meaning | nobody signed in | {' | '.join(roles)} |",
        f"|---|---|{'---|' * (len(roles) + 1)}",
    ]
    for action in Action:
        marks = ["yes" if action in PUBLIC else "", *("yes" if role in ALLOWED[action] else "" for role in roles)]
        lines.append(f"| `{action}` | {MEANINGS[action]} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def render_routes(app: FastAPI) -> str:
    """Return the table of actions and the routes that name them as Markdown."""
    # Where the page is built its files are no routes of their own.
    routes = [(list(Action).index(Action.LOAD_PAGE), _PAGE)]
    for route, action in iter_route_actions(app):
        if action is Action.LOAD_PAGE:
            continue
        path = getattr(route, "path_format", None) or getattr(route, "path", None)
        methods = ", ".join(sorted(set(getattr(route, "methods", None) or ["WebSocket"]) - {"HEAD"}))
        routes.append((list(Action).index(action or Action.VIEW), f"{methods} {path}"))
    lines = ["| action | routes |", "|---|---|"]
    for index, group in groupby(sorted(set(routes)), key=lambda each: each[0]):
        lines.append(f"| `{list(Action)[index]}` | {'; '.join(f'`{route}`' for _, route in group)} |")
    return "\n".join(lines) + "\n"
