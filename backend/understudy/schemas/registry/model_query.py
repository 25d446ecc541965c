"""The query of the list of models."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SortKey = Literal[
    "id",
    "-id",
    "name",
    "-name",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "accuracy",
    "-accuracy",
    "version",
    "-version",
    "type",
    "-type",
]


class ModelQuery(BaseModel):
    """Query string of GET /api/v1/models; `-` sorts in descending order, and rows without a value always come last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str | None = Field(
        default=None, max_length=500, description="Text that name, version, description or path contains, in any case"
    )
    type: str | None = Field(default=None, max_length=100, description="Exact model_type")
    sort: SortKey = "id"
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=4000, description="`next_cursor` of the page before")
