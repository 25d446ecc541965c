"""Describes the caller of the API, and what they may do."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from understudy.schemas.access.role import Role
from understudy.schemas.registry.model import UtcTime

LONGEST_TYPED_PASSWORD = 1000


class SignIn(BaseModel):
    """The body that signs a person in."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255)
    password: SecretStr = Field(max_length=LONGEST_TYPED_PASSWORD)


class PasswordChange(BaseModel):
    """A person's own new password."""

    model_config = ConfigDict(extra="forbid")

    current_password: SecretStr = Field(max_length=LONGEST_TYPED_PASSWORD)
    new_password: SecretStr = Field(max_length=LONGEST_TYPED_PASSWORD)


class SessionOut(BaseModel):
    """A session of a browser."""

    model_config = ConfigDict(frozen=True)

    session_id: str = Field(description="Names the session; it is not the cookie, and signs nobody in")
    browser: str | None = Field(
        default=None, description="Such as `Firefox on Linux`, as the browser said it; null where it said nothing"
    )
    created_at: UtcTime
    last_seen_at: UtcTime = Field(description="Last use, to half a minute")
    expires_at: UtcTime = Field(description="When it ends at the latest; unused it ends before")
    is_current: bool = Field(description="This request came with it")


class SessionList(BaseModel):
    sessions: list[SessionOut]


class Permission(BaseModel):
    """Says whether the caller may do something, and why not."""

    model_config = ConfigDict(frozen=True)

    allowed: bool
    reason: str | None = Field(description="Why it is not allowed, as a sentence")


class AccessState(BaseModel):
    """The caller of this request."""

    model_config = ConfigDict(frozen=True)

    access: Literal["open", "required"] = Field(
        description="`open`: there are no accounts, and everybody may do everything"
    )
    signed_in: bool
    principal_id: int | None
    kind: str | None = Field(description="`person`, `key` or `identity`")
    name: str | None
    role: Role | None
    source: str | None = Field(description="The only source that a device may name")
    by_session: bool = Field(description="The browser's session signed the caller in, and can be ended")
    sign_in_with: str | None = Field(
        description="Name of the provider at which people can sign in: `GET /api/v1/session/oidc`"
    )
    permissions: dict[str, Permission] = Field(description="By action, such as `activate`")
