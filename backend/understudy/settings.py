"""Every setting, read once at start from the environment; docs/settings.md is generated from these fields."""

import ipaddress
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from understudy.errors import UnsafeBinding

_PACKAGE_PARENT = Path(__file__).resolve().parents[1]


def _default_home() -> Path:
    """The checkout's backend folder; for an installed wheel, the folder the command was started in."""
    return _PACKAGE_PARENT if (_PACKAGE_PARENT / "scripts" / "register_model.py").exists() else Path.cwd()


def is_loopback(host: str) -> bool:
    """True when `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """One immutable value; raises `UnsafeBinding` for an address others can reach without saying so."""

    model_config = SettingsConfigDict(env_prefix="UNDERSTUDY_", frozen=True, extra="ignore", populate_by_name=True)

    home: Path = Field(
        default_factory=_default_home,
        description="The folder that holds `models/` and `var/`; model paths are relative to it.",
    )
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "UNDERSTUDY_DATABASE_URL"),
        description="PostgreSQL address (`postgresql://…`). Unset: SQLite in `var/understudy.db`.",
    )
    host: str = Field(default="127.0.0.1", description="Address the server binds.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the server binds.")
    allow_unauthenticated: bool = Field(
        default=False, description="Permit an address other than loopback although there is no access control."
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(),
        description="Host names, as a JSON list, that requests may be addressed to besides localhost and IP addresses.",
    )
    backbone: Path | None = Field(
        default=None, description="The YAMNet backbone. Unset: `models/yamnet.onnx` under the home folder."
    )
    backbone_url: str = Field(
        default="https://storage.googleapis.com/audioset/yamnet.h5",
        description="Where `understudy backbone install` fetches the official weights.",
    )
    log_format: Literal["auto", "human", "json"] = Field(
        default="auto", description="`auto` is human on a terminal and JSON otherwise."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe line that is written."
    )
    poll_seconds: float = Field(
        default=0.5, gt=0, description="How often a process asks the database which model is desired."
    )
    inference_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Worker threads that decode and infer; more than cores is slower.",
    )
    max_upload_bytes: int = Field(
        default=2 << 30, gt=0, description="Largest audio body that is accepted; past 1 MiB it is spooled to disk."
    )
    max_audio_seconds: float = Field(
        default=12 * 3600.0, gt=0, description="Longest recording that is analysed, in seconds."
    )
    max_whole_clip_seconds: float = Field(
        default=600.0, gt=0, description="Longest recording for a model that takes the whole clip at once."
    )
    max_tensor_bytes: int = Field(
        default=64 << 20, gt=0, description="Largest body of an inference under `/v2`, also when decompressed."
    )
    max_model_bytes: int = Field(default=2 << 30, gt=0, description="Largest model file that is read.")
    compile_memory_bytes: int = Field(
        default=12 << 30, gt=0, description="Address space of the compiler's child process."
    )
    compile_cpu_seconds: int = Field(default=600, gt=0, description="CPU time of the compiler's child process.")
    compile_wall_seconds: float = Field(default=600.0, gt=0, description="Wall-clock limit of one compilation.")

    @model_validator(mode="after")
    def _refuse_open_binding(self) -> Self:
        if not self.allow_unauthenticated and not is_loopback(self.host):
            raise UnsafeBinding(f"{self.host} is not a loopback address, and Understudy has no access control yet.")
        return self

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @property
    def var_dir(self) -> Path:
        return self.home / "var"

    @property
    def compiled_dir(self) -> Path:
        return self.var_dir / "compiled"

    def quantized_backbone_path(self, name: str) -> Path:
        """Where the int8 form of the backbone of that name lies, or belongs."""
        return self.var_dir / "backbones" / f"{name}.onnx"

    @property
    def backbone_path(self) -> Path:
        return self.backbone or self.models_dir / "yamnet.onnx"

    @property
    def sqlalchemy_url(self) -> str:
        """The database address with the driver spelled out."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.var_dir / 'understudy.db'}"
        scheme, _, rest = self.database_url.partition("://")
        return f"postgresql+psycopg://{rest}" if scheme in {"postgres", "postgresql"} else self.database_url
