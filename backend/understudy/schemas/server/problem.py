"""The one shape of an error."""

from typing import Self

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from understudy.errors import UnderstudyError
from understudy.schemas.absent import absent_field


class Fault(BaseModel):
    """One fault of an invalid request."""

    where: str = Field(description="Path to the value, such as query.limit", examples=["query.limit"])
    what: str = Field(examples=["Input should be less than or equal to 500"])


class Problem(BaseModel):
    """RFC 9457 problem details with a machine-readable code and a remedy."""

    type: str = Field(examples=["urn:understudy:problem:model_not_found"])
    title: str = Field(examples=["No such model"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["model_not_found"])
    detail: str = Field(examples=["There is no model 7."])
    remedy: str = Field(examples=["List the registered models with GET /api/v1/models or `understudy list`."])
    errors: list[Fault] | SkipJsonSchema[None] = absent_field("Each fault of an invalid request")

    @classmethod
    def from_error(cls, error: UnderstudyError) -> Self:
        """Return the document of `error`."""
        return cls.model_validate(error.problem())
