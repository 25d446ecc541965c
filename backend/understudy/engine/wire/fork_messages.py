"""The messages between the server's process and the fork server."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter


class Configuration(BaseModel):
    """The first message to the fork server; `parent` is the process that it must not outlive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: int
    memory_bytes: int
    readable: tuple[Path, ...]
    backbone: Path | None
    max_audio_seconds: float
    max_whole_clip_seconds: float
    log_format: str
    log_level: str


class Started(BaseModel):
    """The fork server's first message: these limits hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    walls: tuple[str, ...]


class Forked(BaseModel):
    """A worker was forked; a descriptor of the process travels with the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int


class Exited(BaseModel):
    """A worker ended; `code` is -N when signal N ended it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    code: int


notices: TypeAdapter[Started | Forked | Exited] = TypeAdapter(Started | Exited | Forked)
