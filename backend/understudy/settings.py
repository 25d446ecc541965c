"""Reads the settings from the environment once, at start. docs/settings.md lists them; a test compares the two."""

import json
import os
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from understudy.access_settings import AccessSettings, is_loopback

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_OWN_PORTS = {"http": "80", "https": "443"}
_PACKAGE_PARENT = Path(__file__).resolve().parents[1]


def _default_home() -> Path:
    """Return the backend folder of a checkout, or the working folder if an installed wheel runs."""
    return _PACKAGE_PARENT if (_PACKAGE_PARENT / "scripts" / "register_model.py").exists() else Path.cwd()


def is_host_name(name: str) -> bool:
    """Return whether `name` is a host name or an IP address, without scheme and port."""
    return _HOST.fullmatch(name) is not None


def normalize_origin(origin: str) -> str | None:
    """Return the origin as browsers send it: in lower case, without the scheme's own port. None: it is no origin."""
    found = _ORIGIN.fullmatch(origin.lower().removesuffix("/"))
    if found is None:
        return None
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" + ("" if port in (None, _OWN_PORTS.get(scheme)) else f":{port}")


class OnBroken(StrEnum):
    """The reaction to a live model that ends its worker processes."""

    KEEP = "keep"
    ROLLBACK = "rollback"


class Settings(AccessSettings):
    """Holds the settings of one process; immutable."""

    model_config = SettingsConfigDict(
        env_prefix="UNDERSTUDY_",
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,  # a secret among the inputs must not reach a log
    )

    home: Path = Field(
        default_factory=_default_home,
        description="Folder that holds `models/` and `var/`. Model paths are relative to it.",
    )
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "UNDERSTUDY_DATABASE_URL"),
        description="PostgreSQL address (`postgresql://…`). Unset: SQLite in `var/understudy.db`.",
    )
    database_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Longest time in seconds of one transaction, with the wait for a connection and for locks. "
        "Migrations and imports may take 60 times as long.",
    )
    database_connections: int = Field(
        default=10,
        ge=4,
        description="Most connections to the database. Some are kept for management, and one for the server itself: "
        "see databases.md.",
    )
    max_registry_age_seconds: float = Field(
        default=60.0,
        ge=0,
        description="Longest time in seconds since the last successful look at the registry with which `/health/ready` "
        "answers 200. 0 accepts any.",
    )
    host: str = Field(default="127.0.0.1", description="Address that the server binds.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that the server binds.")
    grpc_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port for the v2 protocol over gRPC on the same address, with the same certificate (extra `grpc`). "
        "Unset: off. 0 chooses a free one. See v2.md.",
    )
    allow_unauthenticated: bool = Field(
        default=False,
        description="Allow an address that other machines can reach while there are no accounts: where a proxy in "
        "front checks who calls.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names that requests may use besides localhost and IP addresses, separated by commas.",
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins whose pages may use the server, such as `https://app.example`, separated by commas.",
    )
    store: str | None = Field(
        default=None,
        description="Object store that the servers of a registry share (`s3://BUCKET/FOLDER`, also `gs`, `az`, "
        "`file`): model files, compiled models and backbones. Unset: each machine has its own. See store.md.",
    )
    store_cache_bytes: int = Field(
        default=20 << 30,
        gt=0,
        description="Most bytes on this machine of what the store has too; what was not used for the longest time is "
        "deleted first.",
    )
    backbone: Path | None = Field(
        default=None, description="File of the YAMNet backbone. Unset: `models/yamnet.onnx` in the home folder."
    )
    backbone_url: str = Field(
        default="https://storage.googleapis.com/audioset/yamnet.h5",
        description="Address from which `understudy backbone install` downloads the official weights.",
    )
    log_format: Literal["auto", "human", "json"] = Field(
        default="auto", description="`human`, `json` or `auto`: human-readable lines on a terminal, JSON otherwise."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged: `debug`, `info`, `warning` or `error`."
    )
    poll_seconds: float = Field(
        default=0.5, gt=0, description="Seconds between two questions to the database which model should be live."
    )
    grace_seconds: float = Field(
        default=10.0,
        ge=0,
        description="Longest time in seconds that running requests get after the signal to stop. A second signal ends "
        "the server at once.",
    )
    head_seconds: float = Field(
        default=15.0,
        gt=0,
        description="Longest time in seconds until the head of a request, or the first message of a live stream, has "
        "arrived.",
    )
    transfer_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Longest time in seconds in which the body of a request arrives at less than 500 bytes a second.",
    )
    keep_alive_seconds: int = Field(
        default=75,
        gt=0,
        description="Time in seconds after which a connection without a request is closed. Longer than that of a proxy "
        "in front.",
    )
    max_connections: int = Field(
        default=10_000,
        ge=8,
        description="Most connections at once. The limit of open files (`ulimit -n`) may lower it: see proxy.md.",
    )
    workers: int = Field(
        default_factory=lambda: (os.cpu_count() or 1) if sys.platform == "linux" else 0,
        ge=0,
        le=1024,
        description="Worker processes of `understudy serve`, which decode and score. 0 computes in the server's own "
        "process, where a hostile recording or model can end it; systems other than Linux know only that.",
    )
    worker_memory_bytes: int = Field(
        default=2 << 30, ge=256 << 20, description="Memory that one worker process may write to in bytes."
    )
    step_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Longest time of one step of a worker process, beside a quarter of the sound in it: then it is "
        "ended, and its request fails.",
    )
    queue_seconds: float = Field(
        default=15.0,
        gt=0,
        description="Longest time that a prediction may wait for the worker processes; where more work than that "
        "waits, it is refused with 503 `overloaded` and Retry-After.",
    )
    on_broken: OnBroken = Field(
        default=OnBroken.KEEP,
        description="What the server does when the live model has ended several worker processes: `keep` answers 503 "
        "until somebody activates another model, `rollback` activates the one that was live before.",
    )
    inference_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Threads for decoding and inference where there are no worker processes.",
    )
    traces: bool = Field(
        default=False,
        description="Send spans of requests, predictions and activations by OpenTelemetry (OTLP over HTTP). Where to, "
        "OpenTelemetry's own variables say, such as OTEL_EXPORTER_OTLP_ENDPOINT. See traces.md.",
    )
    prediction_log_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Days for which predictions are logged in the database, without audio. 0 logs none.",
    )
    max_upload_bytes: int = Field(
        default=2 << 30, gt=0, description="Largest audio upload in bytes. Uploads above 1 MiB are spooled to disk."
    )
    max_audio_seconds: float = Field(default=12 * 3600.0, gt=0, description="Longest recording in seconds.")
    strict_audio: bool = Field(
        default=False,
        description="Refuse a damaged, incomplete or partly scored recording with 422 `audio_unusable` where a request "
        "does not say `strict` itself. Without it, what can be decoded is answered, and `findings` name the rest.",
    )
    max_whole_clip_seconds: float = Field(
        default=600.0, gt=0, description="Longest recording in seconds for a model that takes the whole clip at once."
    )
    max_tensor_bytes: int = Field(
        default=64 << 20, gt=0, description="Largest request body under `/v2` in bytes, before and after decompression."
    )
    max_stream_message_bytes: int = Field(
        default=1 << 20, gt=0, description="Largest message of a live stream in bytes, after decompression."
    )
    max_model_bytes: int = Field(default=2 << 30, gt=0, description="Largest model file in bytes.")
    max_examples: int = Field(default=200, ge=1, le=200, description="Most examples of one model.")
    max_example_bytes: int = Field(default=32 << 20, gt=0, description="Largest clip of an example in bytes.")
    max_examples_bytes: int = Field(
        default=256 << 20, gt=0, description="Largest sum of the clips of one model's examples in bytes."
    )
    compile_memory_bytes: int = Field(
        default=12 << 30, gt=0, description="Address space of the compiler's child process in bytes."
    )
    compile_cpu_seconds: int = Field(
        default=600, gt=0, description="CPU time of the compiler's child process in seconds."
    )
    compile_wall_seconds: float = Field(
        default=600.0, gt=0, description="Wall-clock time of one compilation in seconds."
    )
    compile_quick_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Time in seconds after which a compilation lets others pass. One of those that take longer goes on "
        "beside them; any other is ended, and starts again when that one has ended.",
    )
    compile_probe_seconds: float = Field(
        default=10.0, gt=0, description="Longest time in seconds for finding out the format of a model file."
    )
    compile_parity_seconds: float = Field(
        default=120.0,
        gt=0,
        description="Longest time in seconds for comparing a compiled model with the original.",
    )

    @field_validator("database_url", "store", mode="before")
    @classmethod
    def _strip_address(cls, value: object) -> object:
        """An address that was pasted has a newline behind it, and a variable that was cleared is empty."""
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("allowed_hosts", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        """`a.example, b.example` and `["a.example", "b.example"]` are the same list."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return tuple(each for part in value.split(",") if (each := part.strip()))

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not is_host_name(name):
                raise ValueError(
                    f"{name!r} is not a host name. Write it as browsers do, without scheme and port: audio.example"
                )
        return names

    @field_validator("allowed_origins")
    @classmethod
    def _normalize_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        normalized = []
        for origin in origins:
            if (found := normalize_origin(origin)) is None:
                raise ValueError(f"{origin!r} is not an origin. Write scheme, name and port: http://localhost:3000")
            normalized.append(found)
        return tuple(normalized)

    @property
    def needs_accounts(self) -> bool:
        """Return whether other machines can reach the server, and nothing in front of it checks who calls."""
        return not self.allow_unauthenticated and not (is_loopback(self.host) and not self.trusted_proxies)

    @property
    def models_dir(self) -> Path:
        return self.home / "models"

    @property
    def var_dir(self) -> Path:
        return self.home / "var"

    @property
    def compiled_dir(self) -> Path:
        return self.var_dir / "compiled"

    @property
    def examples_dir(self) -> Path:
        return self.var_dir / "examples"

    @property
    def backbones_dir(self) -> Path:
        """The folder of backbones that models run on: int8 variants, and copies of those that were installed."""
        return self.var_dir / "backbones"

    def quantized_backbone_path(self, name: str) -> Path:
        """Return the path of the int8 variant of the backbone named `name`."""
        return self.backbones_dir / f"{name}.onnx"

    @property
    def named_backbones_dir(self) -> Path:
        """The folder of the backbones that were installed under names."""
        return self.models_dir / "backbones"

    @property
    def backbone_path(self) -> Path:
        return self.backbone or self.models_dir / "yamnet.onnx"
