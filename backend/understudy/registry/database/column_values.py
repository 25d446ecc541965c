"""Checks and conversions of values before they are stored in either database."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from understudy.errors import RequestInvalid
from understudy.schemas.registry.model import ModelCreate, ModelUpdate

_ACCURACY_PLACES = 4


def has_nul(value: object) -> bool:
    """True when any text inside `value` contains a NUL character, which PostgreSQL cannot store, not even in JSON."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(has_nul(key) or has_nul(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(has_nul(item) for item in value)


def refuse_nul(field: str, value: object) -> None:
    """Raises RequestInvalid when any text inside `value` contains a NUL character."""
    if has_nul(value):
        raise RequestInvalid(f"{field} contains a NUL character.", remedy=f"Remove the NUL character from {field}.")


def to_columns(request: ModelCreate | ModelUpdate) -> dict[str, Any]:
    """Return the columns that the request sets, with `accuracy` rounded to the 4 decimal places of its column.

    Raises RequestInvalid for a NUL character, except in `file_path`, which `paths.normalize_path` checks.
    """
    columns = request.model_dump(exclude_unset=True, exclude={"spec"})
    for name, value in columns.items():
        if name != "file_path":
            refuse_nul(name, value)
        if isinstance(value, Decimal):
            columns[name] = round(float(value), _ACCURACY_PLACES)
    return columns
