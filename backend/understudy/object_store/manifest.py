"""Says what a stored file or folder consists of: its files, each in parts that are objects of their own."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
PART_BYTES = 16 << 20

_DRIVE = re.compile("[A-Za-z]:")


def _check_path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path or _DRIVE.match(path):
        raise ValueError("the path leads out of its folder")
    return path


class StoredFile(BaseModel):
    """A file: its path relative to the folder, size in bytes, SHA-256, and the SHA-256 of each part of 16 MiB."""

    model_config = ConfigDict(frozen=True)

    path: Annotated[str, AfterValidator(_check_path)]
    size: int = Field(ge=0)
    digest: Digest
    parts: tuple[Digest, ...]


class Manifest(BaseModel):
    """Of a single file, the path is the file's name."""

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    folder: bool
    files: tuple[StoredFile, ...] = Field(min_length=1)
