"""Registered models as the API takes and returns them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.server.problem import Problem


def _to_utc(value: datetime) -> datetime:
    """Return the time with its zone: the table's TIMESTAMP columns hold UTC without one."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# The largest id that the table's SERIAL column can hold: a larger number is a malformed id, not a missing model.
LARGEST_ID = 2**31 - 1

ModelId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
UtcTime = Annotated[datetime, AfterValidator(_to_utc)]
# `naming.py` has the rule for both. Nothing is stripped: a client asks for the model by the name that it sent.
_NAME_RULE = (
    "Without control, invisible and text-direction characters, without spaces at its ends. The parts between slashes "
    "are not empty, `.`, `..` or `versions`, and the last of several is not `ready`"
)
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=False, min_length=1, max_length=255, pattern=r"\S"),
    Field(description=_NAME_RULE),
]
Version = Annotated[
    str,
    StringConstraints(strip_whitespace=False, max_length=50),
    Field(description="The rule for names holds here too"),
]
FilePath = Annotated[str, Field(min_length=1, max_length=500)]
ModelType = Annotated[str, Field(max_length=100)]
Accuracy = Annotated[Decimal, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), str_strip_whitespace=True)


class ModelCreate(_Request):
    """Body of POST /api/v1/models."""

    model_name: Name
    file_path: FilePath
    version: Version | None = None
    description: str | None = None
    model_type: ModelType | None = None
    accuracy: Accuracy | None = None
    spec: PartialSpec | None = Field(default=None, description="Overrides the sidecar and what the file says")


class ModelUpdate(_Request):
    """Body of PUT and PATCH: only the fields that are present change; null clears an optional one."""

    model_name: Name | None = None
    file_path: FilePath | None = None
    version: Version | None = None
    description: str | None = None
    model_type: ModelType | None = None
    accuracy: Accuracy | None = None
    spec: PartialSpec | None = Field(
        default=None,
        description="Changes the fields that are present in it: null clears a field, null in place of the spec clears "
        "every given field. The live model keeps its spec until it is activated again",
    )

    @model_validator(mode="after")
    def _required_columns_stay(self) -> Self:
        for field in ("model_name", "file_path"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null")
        return self


class ModelOut(BaseModel):
    """One registered model: the documented columns, then facts about its file."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    model_id: int
    model_name: str
    version: str | None
    file_path: str
    description: str | None
    model_type: str | None
    accuracy: float | None
    created_at: UtcTime | None
    updated_at: UtcTime | None
    is_active: bool
    created_by_user_id: int | None
    file_exists: bool
    file_changed: bool = Field(description="The file's content is no longer what was registered")
    file_bytes: int | None
    digest: str | None = Field(description="SHA-256 of the registered file; null until it was first read")
    compile_state: str = Field(description="ready, not_compiled, compiling or refused")
    compile_error: Problem | None = Field(description="Why the file was refused last")


class ModelList(BaseModel):
    """Answer of GET /api/v1/models."""

    model_config = ConfigDict(protected_namespaces=())

    models: list[ModelOut]
    active_model: ModelOut | None
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` for the next page; null on the last")
    total: int = Field(description="Rows that match, over all pages")


class ModelTypes(BaseModel):
    """Answer of GET /api/v1/models/types."""

    types: list[str]


class HistoryPrincipal(BaseModel):
    """The principal who asked for a change."""

    model_config = ConfigDict(from_attributes=True)

    principal_id: int | None = Field(description="Null for a system user, who has no account here")
    name: str | None
    kind: str = Field(description="person, key, identity, or system_user for a command that was typed on the machine")


class HistoryEntry(BaseModel):
    """One event in the history of a model or of the deployment."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    history_id: int
    at: UtcTime
    event: str = Field(
        description="registered, updated, deleted, compiled, activated, deactivated, rolled_back, refused, repaired, "
        "sealed, requested, approved, declined, confirmed, policies_changed or accepted"
    )
    model_id: int | None
    model_name: str | None
    version: str | None
    digest: str | None
    generation: int | None
    form: str | None = Field(default=None, description="The variant that went live: float32, or an int8 variant's key")
    actor: str | None = Field(
        description="The source of the change: api, page, cli, script, startup, follow-up (the server's own work), sql "
        "(typed into the database) or migration; server and database in entries of earlier versions"
    )
    principal: HistoryPrincipal | None = Field(default=None, description="Null where nobody signed in")
    before: dict[str, Any] | str | None = Field(default=None, description="The values that the change replaced")
    after: dict[str, Any] | str | None = Field(default=None, description="The values since the change")
    code: str | None = Field(description="Error code of a refusal")
    detail: str | None
    remedy: str | None
    position: int | None = Field(default=None, description="Place in the chain of sealed entries, without gaps")
    entry_hash: str | None = Field(
        default=None, description="SHA-256 over the hash before and this entry; null for an entry without a seal"
    )


class LiveModelAt(BaseModel):
    """The model that was live at a moment, as the history has it."""

    model_config = ConfigDict(protected_namespaces=())

    at: UtcTime
    model_id: int | None = Field(description="Null when no model was live, or when the history begins later")
    model_name: str | None = None
    version: str | None = None
    digest: str | None = Field(default=None, description="SHA-256 of the model file that was live")
    precision: Precision | None = None
    form: str | None = Field(default=None, description="The variant: float32, or an int8 variant's key")
    generation: int | None = None
    since: UtcTime | None = Field(default=None, description="Time of the switch; null when the history begins later")
    until: UtcTime | None = Field(default=None, description="Time of the next switch; null while none has followed")
    actor: str | None = Field(default=None, description="The source of the switch")
    principal: HistoryPrincipal | None = Field(default=None, description="Who made it go live")


class HistoryPage(BaseModel):
    """A page of history, latest first."""

    entries: list[HistoryEntry]
    live_at: LiveModelAt | None = Field(default=None, description="Where `at` was asked for: what was live then")
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` for the next page; null on the last")
