"""Fields that are left out of a JSON document where they have no value, instead of being null."""

from typing import Any

from pydantic import Field


def absent_field(description: str, **constraints: Any) -> Any:
    """Return a field that is None in Python and absent from JSON unless it is given.

    Annotate it as `T | SkipJsonSchema[None]`, so that its JSON Schema is that of `T`.
    """
    return Field(
        default=None, exclude_if=_is_none, json_schema_extra=_drop_default, description=description, **constraints
    )


def _is_none(value: object) -> bool:
    return value is None


def _drop_default(schema: dict[str, Any]) -> None:
    del schema["default"]
