"""The settings of access: sessions, passwords, tokens of other services, TLS and proxies."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

LimitedRole = Literal["viewer", "operator", "editor", "admin", "device"]
RoleName = Literal["viewer", "operator", "editor", "admin"]  # a device has a key, which knows its source

# HMAC with SHA-256 needs a key as long as its hash: RFC 7518, section 3.2.
_SHORTEST_SECRET = 32


class AccessSettings(BaseSettings):
    """The part of the settings that says who may use the server, and how they reach it."""

    session_idle_seconds: int = Field(
        default=8 * 3600, gt=0, description="Time in seconds after which an unused session of a browser ends."
    )
    session_seconds: int = Field(
        default=7 * 24 * 3600, gt=0, description="Longest time in seconds of a session of a browser."
    )
    password_memory_kib: int = Field(
        default=65_536, ge=8, le=4 << 20, description="Memory of one computation of a password's argon2id hash in KiB."
    )
    password_passes: int = Field(
        default=3, ge=1, le=100, description="Passes of argon2id over that memory; more make guessing slower."
    )
    request_limits: dict[LimitedRole, Annotated[float, Field(gt=0, le=100_000)]] = Field(
        default={},
        description='Requests a second of one person, key or identity, by role, as JSON: `{"device": 5}`. Unset roles '
        "have no limit. A key may have its own.",
    )
    concurrency_limits: dict[LimitedRole, Annotated[int, Field(ge=1, le=100_000)]] = Field(
        default={},
        description='Requests and microphone streams of one person, key or identity at once, by role: `{"device": 2}`.',
    )
    jwt_secret: SecretStr | None = Field(
        default=None,
        description="Secret of the service that signs bearer JWTs with HS256, 32 characters or more, such as the JWT "
        "secret of a Supabase project.",
    )
    jwt_jwks_url: str | None = Field(
        default=None,
        description="Address of the public keys (JWKS) of the service that signs bearer JWTs; https, or http on this "
        "machine.",
    )
    jwt_issuer: str | None = Field(
        default=None,
        description="The `iss` that a JWT must have, such as `https://PROJECT.supabase.co/auth/v1`. Needed with either "
        "of both.",
    )
    jwt_audience: str = Field(default="authenticated", description="The `aud` that a JWT must have.")
    jwt_leeway_seconds: int = Field(
        default=30, ge=0, le=600, description="Difference in seconds that the clocks of issuer and server may have."
    )
    jwt_role_claim: str = Field(
        default="app_metadata.understudy_role",
        description="Claim of a JWT that decides the role; dots lead into objects. It may hold a list.",
    )
    jwt_roles: dict[str, RoleName] = Field(
        default={},
        description='Roles by the value of that claim, as JSON: `{"staff": "operator"}`. Unset: the claim names the '
        "role itself. A JWT without a role may do nothing.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="Issuer of the OpenID provider at which people sign in, exactly as the provider names itself; "
        "https, or http on this machine. `jwt_role_claim` and `jwt_roles` hold for its ID tokens.",
    )
    oidc_client_id: str | None = Field(
        default=None, description="Client id that the provider gave to this server. Needed with the issuer."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Client secret of the provider; unset for a public client."
    )
    oidc_name: str | None = Field(
        default=None, description="Name of the provider on the page's button; unset: the issuer's host."
    )
    oidc_scopes: str = Field(
        default="openid email profile", description="Scopes to ask the provider for, separated by spaces."
    )
    tls_cert: Path | None = Field(
        default=None,
        description="File with the server's certificate and its chain (PEM). The server then speaks https.",
    )
    tls_key: Path | None = Field(default=None, description="File with the private key of the certificate (PEM).")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses or networks of the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count, "
        "such as `127.0.0.1` or `10.0.0.0/8`, separated by commas.",
    )

    @field_validator("jwt_secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < _SHORTEST_SECRET:
            raise ValueError(f"the secret has fewer than {_SHORTEST_SECRET} characters, and could be guessed")
        return secret

    @field_validator("jwt_jwks_url", "oidc_issuer")
    @classmethod
    def _check_jwks_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if is_safe_address(url):
            return url
        raise ValueError(f"{url} is not an https address, so that keys of another could be put in between")

    @field_validator("oidc_scopes")
    @classmethod
    def _check_scopes(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("the scope openid is missing: without it the provider sends no ID token")
        return scopes

    @field_validator("trusted_proxies", mode="after")
    @classmethod
    def _check_proxies(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy!r} is not an address or a network: write 127.0.0.1 or 10.0.0.0/8") from None
        return proxies

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.accepts_jwts and not self.jwt_issuer:
            raise ValueError("UNDERSTUDY_JWT_ISSUER is missing: tokens of another issuer would be believed")
        if self.oidc_issuer is not None and not self.oidc_client_id:
            raise ValueError("UNDERSTUDY_OIDC_CLIENT_ID is missing: tokens for other clients would be believed")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("UNDERSTUDY_TLS_CERT and UNDERSTUDY_TLS_KEY must both be set, or neither")
        return self

    @property
    def accepts_jwts(self) -> bool:
        return self.jwt_secret is not None or self.jwt_jwks_url is not None


def is_safe_address(url: str) -> bool:
    """Return whether nobody on the way can change what `url` answers: https, or http on this machine."""
    address = urlsplit(url)
    return address.scheme == "https" or (address.scheme == "http" and is_loopback(address.hostname or ""))


def is_loopback(host: str) -> bool:
    """Return whether `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
