"""Turns pydantic's validation errors into Understudy's own."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from understudy.errors import RequestInvalid

M = TypeVar("M", bound=BaseModel)


def describe_faults(error: ValidationError) -> str:
    """Return the faults of `error` as one line, each with the name of its field."""
    faults = ((".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in error.errors())
    return "; ".join(f"{where}: {what}" if where else what for where, what in faults)


def validate_request(kind: type[M], fields: Mapping[str, object]) -> M:
    """Build a request from options. Raises RequestInvalid."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise RequestInvalid(
            f"{describe_faults(error)}.", remedy="Correct the option and run the command again."
        ) from error
