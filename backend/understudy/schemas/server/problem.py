"""The one shape of an error."""

from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """RFC 9457 problem details with a machine-readable code and a remedy."""

    type: str = Field(examples=["urn:understudy:problem:model_not_found"])
    title: str = Field(examples=["No such model"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["model_not_found"])
    detail: str = Field(examples=["There is no model 7."])
    remedy: str = Field(examples=["List the registered models with GET /api/v1/models or `understudy list`."])
    errors: list[dict[str, Any]] | None = Field(default=None, description="Each fault of an invalid request")
