"""Describes for OpenAPI the problems that a route can answer with."""

from typing import Any

from understudy.errors import UnderstudyError

PROBLEM = {"$ref": "#/components/schemas/Problem"}


def describe_problems(*errors: type[UnderstudyError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may raise `errors`: an entry for each status, an example for each code."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = responses.setdefault(
            error.status,
            {"description": "", "content": {"application/problem+json": {"schema": PROBLEM, "examples": {}}}},
        )
        entry["description"] = "; ".join(part for part in (entry["description"], error.title) if part)
        entry["content"]["application/problem+json"]["examples"][error.code] = {
            "summary": error.title,
            "value": error("What happened to this request.").problem(),
        }
    return responses
