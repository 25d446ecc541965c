"""Values that a database of either kind can hold."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from understudy.errors import RequestInvalid
from understudy.schemas.registry.model import ModelCreate, ModelUpdate

_ACCURACY_PLACES = 4


def has_nul(value: object) -> bool:
    """Whether a NUL character is in any text inside `value`; PostgreSQL stores none, not even in JSON."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(has_nul(key) or has_nul(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(has_nul(item) for item in value)


def refuse_nul(field: str, value: object) -> None:
    """Raises RequestInvalid."""
    if has_nul(value):
        raise RequestInvalid(f"{field} contains a NUL character.")


def read_columns(request: ModelCreate | ModelUpdate) -> dict[str, Any]:
    """The columns that the request sets, accuracy rounded to the places its column has; raises RequestInvalid."""
    columns = request.model_dump(exclude_unset=True, exclude={"spec"})
    for name, value in columns.items():
        if name != "file_path":  # has its own refusal
            refuse_nul(name, value)
        if isinstance(value, Decimal):
            columns[name] = round(float(value), _ACCURACY_PLACES)
    return columns
