"""Model files, registered or not."""

from pydantic import BaseModel, Field

from understudy.schemas.registry.model import UtcTime


class UploadedFile(BaseModel):
    """A file that an upload left in `models/`."""

    file_path: str = Field(description="Relative to the backend folder: register it by this path")
    bytes: int
    digest: str = Field(description="SHA-256")


class UnregisteredFile(BaseModel):
    """A model file that no row refers to."""

    file_path: str
    bytes: int
    modified_at: UtcTime
    kind: str = Field(description="keras, h5, tflite, onnx or saved_model, by its name; tensorflowjs by its content")
    note: str | None = Field(default=None, description="Why it is not to be registered as it is, and what to do")


class UnregisteredFiles(BaseModel):
    files: list[UnregisteredFile]
