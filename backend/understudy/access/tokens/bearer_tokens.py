"""Verifies the bearer JWTs of another service, such as Supabase or an OpenID provider."""

from understudy.access.tokens.signing_keys import SigningKeys
from understudy.access.tokens.token_verifier import TokenFacts, TokenVerifier
from understudy.settings import Settings


class BearerTokens:
    """The tokens that programs send in `Authorization`."""

    def __init__(self, settings: Settings, signing_keys: SigningKeys | None = None) -> None:
        if signing_keys is None and settings.jwt_jwks_url is not None:
            signing_keys = SigningKeys(settings.jwt_jwks_url)
        self._verifier = TokenVerifier(
            settings,
            issuer=settings.jwt_issuer or "",
            audience=settings.jwt_audience,
            secret=settings.jwt_secret,
            signing_keys=signing_keys,
        )

    @property
    def is_enabled(self) -> bool:
        return self._verifier.is_enabled

    async def verify(self, token: str) -> TokenFacts:
        """Return what the token says. Raises NotSignedIn, and IssuerUnavailable where its keys cannot be read."""
        return self._verifier.read(await self._verifier.decode(token))
