"""The answer to a deletion."""

from pydantic import BaseModel, ConfigDict, Field


class ModelDeleted(BaseModel):
    """Answer of DELETE /api/v1/models/{model_id}."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: int
    model_name: str
    file_path: str = Field(description="Where the model file still is, if it was there before")
    file_deleted: bool = False
    detail: str
