"""Reads what a client says about a recording: its source, its time, and the format of raw samples.

The same names may be query parameters, fields of a form and fields of a JSON body.
"""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from understudy.errors import RequestInvalid
from understudy.schemas.inference.recording import (
    Channels,
    Rate,
    RawFormat,
    RecordedAt,
    RecordingFields,
    Source,
)

NAMES = tuple(RecordingFields.model_fields)
_DESCRIPTIONS = {name: field.description for name, field in RecordingFields.model_fields.items()}

M = TypeVar("M", bound=BaseModel)


async def _read_query(  # FastAPI would run a plain function in a thread
    source: Annotated[Source | None, Query(description=_DESCRIPTIONS["source"])] = None,
    recorded_at: Annotated[RecordedAt | None, Query(description=_DESCRIPTIONS["recorded_at"])] = None,
    sample_format: Annotated[RawFormat | None, Query(alias="format", description=_DESCRIPTIONS["format"])] = None,
    rate: Annotated[Rate | None, Query(description=_DESCRIPTIONS["rate"])] = None,
    channels: Annotated[Channels | None, Query(description=_DESCRIPTIONS["channels"])] = None,
    strict: Annotated[bool | None, Query(description=_DESCRIPTIONS["strict"])] = None,
) -> RecordingFields:
    return RecordingFields.model_construct(
        source=source, recorded_at=recorded_at, format=sample_format, rate=rate, channels=channels, strict=strict
    )


QueryFields = Annotated[RecordingFields, Depends(_read_query)]


def parse_body(kind: type[M], body: str | bytes | Mapping[str, str]) -> M:
    """Return the body as `kind`. Raises RequestValidationError, which names each fault, such as `body.rate`."""
    try:
        return kind.model_validate_json(body) if isinstance(body, str | bytes) else kind.model_validate(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None


def merge_fields(query: RecordingFields, body: RecordingFields) -> RecordingFields:
    """Return the fields of both. Raises RequestInvalid where the two contradict each other."""
    merged: dict[str, object] = {}
    for name in NAMES:
        one, other = getattr(query, name), getattr(body, name)
        if one is not None and other is not None and one != other:
            raise RequestInvalid(
                f"The query says {name}={one}, and the body says {name}={other}.", remedy=f"Send {name} once."
            )
        merged[name] = other if one is None else one
    return RecordingFields.model_construct(**merged)  # type: ignore[arg-type]  # values of validated models
