"""The one shape of an error."""

from typing import Any, Self

from pydantic import BaseModel, Field

from understudy.errors import UnderstudyError


class Fault(BaseModel):
    """One fault of an invalid request."""

    where: str = Field(description="Path to the value, such as query.limit", examples=["query.limit"])
    what: str = Field(examples=["Input should be less than or equal to 500"])


def _is_none(value: object) -> bool:
    return value is None


def _drop_default(schema: dict[str, Any]) -> None:
    """Remove the default: the field is left out of an answer, and never null."""
    del schema["default"]


class Problem(BaseModel):
    """RFC 9457 problem details with a machine-readable code and a remedy."""

    type: str = Field(examples=["urn:understudy:problem:model_not_found"])
    title: str = Field(examples=["No such model"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["model_not_found"])
    detail: str = Field(examples=["There is no model 7."])
    remedy: str = Field(examples=["List the registered models with GET /api/v1/models or `understudy list`."])
    errors: list[Fault] | None = Field(
        default=None,
        exclude_if=_is_none,
        json_schema_extra=_drop_default,
        description="Each fault of an invalid request; absent from other problems",
    )

    @classmethod
    def from_error(cls, error: UnderstudyError) -> Self:
        """Return the document of `error`."""
        return cls.model_validate(error.problem())
