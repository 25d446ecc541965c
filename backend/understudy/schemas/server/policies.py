"""The policies of activations, and what they hold back, as the API takes and returns them."""

from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from understudy.schemas.registry.model import HistoryPrincipal, UtcTime
from understudy.schemas.registry.signature import Signer
from understudy.schemas.server.freeze import FreezeWindow

DEFAULT_REQUEST_HOURS = 24
MOST_WINDOWS = 100

RequestHours = Annotated[int, Field(ge=1, le=720, description="After so many hours a request has expired")]
ConfirmMinutes = Annotated[int, Field(ge=1, le=10_080)]
Signers = Annotated[tuple[Signer, ...], Field(max_length=20)]
Freezes = Annotated[tuple[FreezeWindow, ...], Field(max_length=MOST_WINDOWS)]


class Policies(BaseModel):
    """The policies of a registry; all are off unless an admin changes them."""

    model_config = ConfigDict(frozen=True)

    four_eyes: bool = Field(default=False, description="An activation needs a second person's word")
    request_hours: RequestHours = DEFAULT_REQUEST_HOURS
    freezes: Freezes = Field(default=(), description="Spans in which no activation is done")
    confirm_minutes: ConfirmMinutes | None = Field(
        default=None, description="Unless confirmed within so many minutes, the model before is live again"
    )
    signers: Signers = Field(default=(), description="Only models that one of these keys signed go live; none: all")


class PoliciesUpdate(BaseModel):
    """Changes of the policies: only the fields that are present change."""

    model_config = ConfigDict(extra="forbid")

    four_eyes: bool | None = None
    request_hours: RequestHours | None = None
    freezes: Freezes | None = Field(default=None, description="Replaces all spans")
    confirm_minutes: ConfirmMinutes | None = Field(default=None, description="null switches the return off")
    signers: Signers | None = Field(default=None, description="Replaces all keys")

    @model_validator(mode="after")
    def _refuse_null(self) -> Self:
        for field in ("four_eyes", "request_hours", "freezes", "signers"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null")
        return self


class ActivationRequest(BaseModel):
    """An activation that waits, or waited, for a second person's word."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    request_id: int
    kind: str = Field(description="activate or rollback")
    model_id: int
    model_name: str
    version: str | None
    digest: str = Field(description="SHA-256 of the file that would go live")
    form: str = Field(description="float32, int8, or the key of an int8 variant")
    tensors_only: bool
    reason: str | None
    override_reason: str | None = Field(description="Why the activation is to be done in a freeze; null without that")
    generation: int = Field(description="The generation that it would replace; it is refused where another is present")
    state: str = Field(description="pending, approved (being done), done, failed, declined or expired")
    requested_at: UtcTime
    expires_at: UtcTime
    requested_by: HistoryPrincipal | None
    decided_at: UtcTime | None
    decided_by: HistoryPrincipal | None
    decision_reason: str | None


class Confirmation(BaseModel):
    """The live model is to be confirmed, or the model before is live again."""

    model_config = ConfigDict(protected_namespaces=())

    generation: int
    model_id: int
    model_name: str | None
    confirm_by: UtcTime
    seconds_left: float = Field(description="0 once a server may return to the model before at any moment")
    return_model_id: int
    return_model_name: str | None = Field(description="Null where its record was deleted: nothing can be returned to")
    return_form: str = Field(description="The variant in which the model before was live")


class PolicyStatus(BaseModel):
    """The policies, and what they hold back now."""

    policies: Policies
    freeze: FreezeWindow | None = Field(description="The span that holds now; null where activations are done")
    confirmation: Confirmation | None
    requests: Annotated[tuple[ActivationRequest, ...], BeforeValidator(tuple)] = Field(
        description="Pending requests, the oldest first"
    )
