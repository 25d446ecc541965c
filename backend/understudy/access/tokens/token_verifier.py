"""Verifies a JWT of another service (RFC 7519), and reads from its claims who it names and with which role."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from understudy.access.tokens.signing_keys import SigningKeys
from understudy.errors import NotSignedIn
from understudy.schemas.access.role import Role
from understudy.settings import Settings

_SECRET_ALGORITHM = "HS256"  # noqa: S105  # the name of an algorithm
# Signatures by a private key. A public key must never count as the secret of HS256.
_KEY_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_NAME_CLAIMS = ("email", "preferred_username", "name")
_MOST_NAME_CHARACTERS = 255
_RANKS = (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.ADMIN)


@dataclass(frozen=True)
class TokenFacts:
    """Holds the claims of a verified token.

    `expires_at` is in UTC without a zone; `role` is None for a token without one.
    """

    issuer: str
    subject: str
    name: str
    role: Role | None
    expires_at: datetime


class TokenVerifier:
    """Verifies signature, issuer, audience and times, and reads the role.

    Bearer tokens and the ID tokens of a sign-in are verified here: one map of claims to roles holds for both.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        issuer: str,
        audience: str,
        secret: SecretStr | None = None,
        signing_keys: SigningKeys | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._secret = secret
        self._signing_keys = signing_keys
        self._leeway = settings.jwt_leeway_seconds
        self._role_claim = settings.jwt_role_claim
        self._roles = {value: Role(role) for value, role in settings.jwt_roles.items()}

    @property
    def is_enabled(self) -> bool:
        return self._secret is not None or self._signing_keys is not None

    async def decode(self, token: str) -> dict[str, Any]:
        """Return the claims. Raises NotSignedIn, and IssuerUnavailable where the issuer's keys cannot be read."""
        import jwt  # here, so that a server without accounts never loads it

        try:
            header = jwt.get_unverified_header(token)
            algorithm = str(header.get("alg"))
            return jwt.decode(
                token,
                await self._find_key(algorithm, header.get("kid")),
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError) as error:  # a key of another kind than the algorithm's
            raise NotSignedIn(f"The token does not hold: {_describe(error)}.") from None

    def read(self, claims: Mapping[str, Any]) -> TokenFacts:
        """Return what verified claims say of their subject. Raises NotSignedIn for a subject that cannot be stored."""
        subject = claims["sub"]
        if not subject or len(subject) > _MOST_NAME_CHARACTERS or "\0" in subject:
            raise NotSignedIn("The token's subject is empty or too long.")
        return TokenFacts(
            issuer=self._issuer,
            subject=subject,
            name=_choose_name(claims),
            role=self._find_role(claims),
            expires_at=datetime.fromtimestamp(int(claims["exp"]) + self._leeway, UTC).replace(tzinfo=None),
        )

    async def _find_key(self, algorithm: str, key_id: object) -> Any:
        if algorithm == _SECRET_ALGORITHM and self._secret is not None:
            return self._secret.get_secret_value()
        if algorithm in _KEY_ALGORITHMS and self._signing_keys is not None:
            return (await self._signing_keys.find(key_id if isinstance(key_id, str) else None)).key
        raise NotSignedIn("The token is signed in a way that this server does not accept.")

    def _find_role(self, claims: Mapping[str, Any]) -> Role | None:
        """Return the highest role among those that the claim's values stand for."""
        found = _read_claim(claims, self._role_claim)
        values = found if isinstance(found, list) else [found]
        to_role = self._roles.get if self._roles else _parse_role
        roles = {to_role(value) for value in values if isinstance(value, str)}
        return next((role for role in reversed(_RANKS) if role in roles), None)


def _parse_role(value: str) -> Role | None:
    return Role(value) if value in _RANKS else None


def _read_claim(claims: Mapping[str, Any], path: str) -> object:
    """Return the claim of this name; where there is none, follow the dots of the name into objects."""
    if path in claims:
        return claims[path]
    found: object = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _choose_name(claims: Mapping[str, Any]) -> str:
    names = (claims.get(claim) for claim in (*_NAME_CLAIMS, "sub"))
    name = next(name for name in names if isinstance(name, str) and name)
    return "".join(each if each.isprintable() else "\ufffd" for each in name)[:_MOST_NAME_CHARACTERS]


def _describe(error: Exception) -> str:
    """Return the library's reason, such as `Signature has expired`, as the end of a sentence; no token is in it."""
    reason = str(error).rstrip(".") or type(error).__name__
    return reason[0].lower() + reason[1:]
