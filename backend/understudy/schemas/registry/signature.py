"""Signatures of models, and the keys whose signatures count."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class Signer(BaseModel):
    """A public key whose signatures count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100, description="What people call the key")
    public_key: str = Field(max_length=2000, description="An elliptic curve public key in PEM")


class SignatureBundle(BaseModel):
    """A Sigstore bundle with a DSSE envelope, as `model_signing sign key` writes it. Other fields are kept."""

    model_config = ConfigDict(extra="allow")

    media_type: str = Field(alias="mediaType")
    dsse_envelope: dict[str, JsonValue] = Field(alias="dsseEnvelope")


class SignatureState(StrEnum):
    """Says whether a model is signed by a key that counts."""

    VALID = "valid"
    ABSENT = "absent"
    INVALID = "invalid"


class ModelSignature(BaseModel):
    """The signature of a model file with its spec and its examples."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: int
    state: SignatureState = Field(description="invalid: no key that counts made it, or something was changed since")
    signer: str | None = Field(description="Name of the key")
    detail: str
    file_path: str = Field(description="Where the signature lies or would lie, relative to the backend folder")
    resources: dict[str, str] = Field(description="What a signature has to cover: names with their SHA-256")
