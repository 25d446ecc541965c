"""People, identities and keys as the API and the command line show them. No secret is among them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from understudy.schemas.access.role import Role
from understudy.schemas.inference.recording import Source
from understudy.schemas.registry.model import ModelId, UtcTime

MAX_NAME_LENGTH = 100
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256


def _check_name(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("use printable characters, without a space at the start or the end")
    return value


AccountName = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH), AfterValidator(_check_name)]


class UserOut(BaseModel):
    """A person, or an identity of another service's tokens."""

    model_config = ConfigDict(frozen=True)

    principal_id: int
    kind: str = Field(description="`person`, or `identity` for the subject of another service's tokens")
    name: str
    role: Role | None = Field(description="Of an identity: the role of its last token")
    disabled: bool
    created_at: UtcTime
    issuer: str | None
    subject: str | None


class UserList(BaseModel):
    users: list[UserOut]


class UserCreate(BaseModel):
    """A new person."""

    model_config = ConfigDict(extra="forbid")

    name: AccountName
    role: Role
    password: SecretStr


class UserUpdate(BaseModel):
    """Changes of a person; the fields that are absent stay. A new password ends the person's sessions."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    disabled: bool | None = None
    password: SecretStr | None = None


class KeyOut(BaseModel):
    """A key of a machine, without its secret."""

    model_config = ConfigDict(frozen=True)

    principal_id: int
    name: str
    prefix: str = Field(description="The beginning of the key")
    role: Role
    source: str | None = Field(description="The only source that a device may name")
    created_at: UtcTime
    expires_at: UtcTime | None
    last_used_at: UtcTime | None
    revoked_at: UtcTime | None
    requests_per_second: float | None = Field(default=None, description="Its own limit; null: that of its role")
    concurrent_requests: int | None = Field(default=None, description="Its own limit; null: that of its role")
    person_id: int | None = Field(
        default=None, description="The person for whom it speaks where an activation needs two; null: nobody"
    )
    person: str | None = Field(default=None, description="Name of that person; null too where the account is gone")


class KeyUpdate(BaseModel):
    """Changes of a key: only the fields that are present change. Null takes a limit of its own or the person away."""

    model_config = ConfigDict(extra="forbid")

    requests_per_second: Annotated[float, Field(gt=0, le=100_000)] | None = None
    concurrent_requests: Annotated[int, Field(ge=1, le=100_000)] | None = None
    person_id: ModelId | None = None


class KeyList(BaseModel):
    keys: list[KeyOut]


class KeyCreate(BaseModel):
    """A new key. A device needs a source; the other roles have none."""

    model_config = ConfigDict(extra="forbid")

    name: AccountName
    role: Role
    source: Source | None = None
    expires_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    person_id: ModelId | None = Field(
        default=None, description="The person for whom it speaks where an activation needs two; else who makes the key"
    )


class NewKey(KeyOut):
    """A key that was just made: the only answer that holds the secret."""

    key: str = Field(description="The whole key; it is not shown again")
