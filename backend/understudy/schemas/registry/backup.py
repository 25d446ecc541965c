"""The manifest of a backup, and what saving and restoring report."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 1


class SavedFile(BaseModel):
    """A file of the archive. `path` is POSIX and relative to the home folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, max_length=1000)
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class SavedTable(BaseModel):
    """A table of the archive: its file there has one JSON document a line, with the columns by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern="^[a-z_]{1,63}$")
    rows: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """The last entry of the archive, so that one that was cut off has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    understudy: str = Field(description="Version of the program that wrote it")
    revision: str = Field(description="Revision of the tables", pattern="^[0-9]{4}$")
    database: Literal["sqlite", "postgresql"]
    saved_at: datetime
    tables: tuple[SavedTable, ...]
    files: tuple[SavedFile, ...]


class BackupReport(BaseModel):
    """A backup or a restore; `warnings` are sentences about what is not in the archive or was left as it is."""

    model_config = ConfigDict(frozen=True)

    archive: str
    tables: dict[str, int] = Field(description="Number of rows by table")
    files: int
    bytes: int = Field(description="Bytes of the files")
    warnings: tuple[str, ...]
