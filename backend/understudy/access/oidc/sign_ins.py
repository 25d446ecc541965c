"""Use-cases of a sign-in at an OpenID provider: authorization code with PKCE, state and nonce."""

import importlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog

from understudy.access.accounts.sign_in import NewSession, SignIns
from understudy.access.credentials.failed_attempts import FailedAttempts
from understudy.access.credentials.secret_token import is_same
from understudy.access.oidc.client import OidcAttempt, OidcClient, shorten
from understudy.access.oidc.provider import OidcProvider, ProviderDocument
from understudy.access.tokens.identities import find_or_add_identity
from understudy.access.tokens.token_verifier import TokenFacts, TokenVerifier
from understudy.errors import NoRole, NotFound, NotSignedIn, SignInFailed
from understudy.registry.access import revision
from understudy.registry.database.database import Database
from understudy.settings import Settings

log = structlog.get_logger()


class OidcSignIns:
    """Begins and ends sign-ins at the provider of the settings."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        sign_ins: SignIns,
        attempts: FailedAttempts,
        provider: OidcProvider | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._sign_ins = sign_ins
        self._attempts = attempts
        self._issuer = settings.oidc_issuer
        self._client = OidcClient(settings)
        if provider is None and self._issuer is not None:
            provider = OidcProvider(self._issuer)
        self._provider = provider

    @property
    def provider_name(self) -> str | None:
        """The provider's name on the button, or None where there is no provider."""
        if self._issuer is None:
            return None
        return self._settings.oidc_name or urlsplit(self._issuer).hostname

    def load(self) -> None:
        """Import what a sign-in needs, where there is a provider: requests would wait for it later."""
        if self._issuer is not None:
            for name in ("authlib.oauth2.client", "authlib.oidc.core", "httpx", "jwt"):
                importlib.import_module(name)

    async def begin(self, redirect_uri: str, next_path: str) -> tuple[str, OidcAttempt]:
        """Return the provider's address for the browser, and the attempt to keep in it.

        Raises NotFound where the settings name no provider, and IssuerUnavailable.
        """
        document = await self._get_document()
        attempt = OidcAttempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            code_verifier=secrets.token_urlsafe(48),
            next_path=next_path,
        )
        return self._client.build_address(document, attempt, redirect_uri), attempt

    async def finish(
        self,
        attempt: OidcAttempt | None,
        answer: Mapping[str, str],
        redirect_uri: str,
        address: str,
        user_agent: str | None = None,
    ) -> NewSession:
        """Begin a session with the provider's answer, which are the parameters of the callback.

        Raises SignInFailed, NoRole, NotSignedIn for a disabled account, TooManyAttempts, IssuerUnavailable and
        DatabaseUnavailable.
        """
        self._attempts.check(address)
        try:
            facts = await self._find_identity(attempt, answer, redirect_uri)
        except SignInFailed as error:
            failures = self._attempts.record_failure(address)
            log.warning("sign-in at the provider failed", reason=error.detail, address=address, failures=failures)
            raise
        if facts.role is None:
            log.warning("sign-in without a role", user=facts.name, issuer=facts.issuer, address=address)
            claim = self._settings.jwt_role_claim
            raise NoRole(f"{facts.name} has no role here: the claim {claim} of the ID token names none.")
        async with self._database.write() as session:
            identity = await find_or_add_identity(session, facts)
            if identity.disabled_at is not None:
                raise NotSignedIn("The account is disabled.", remedy="Ask an admin: `understudy users enable NAME`.")
            begun = await self._sign_ins.begin(session, identity.principal_id, user_agent)
            await revision.advance(session)
        log.info("signed in", user=facts.name, issuer=facts.issuer, address=address)
        return begun

    async def _find_identity(
        self, attempt: OidcAttempt | None, answer: Mapping[str, str], redirect_uri: str
    ) -> TokenFacts:
        if attempt is None:
            raise SignInFailed("This sign-in was not begun in this browser, was done already, or took too long.")
        if not is_same(answer.get("state", ""), attempt.state):
            raise SignInFailed("The answer belongs to another sign-in than the one that this browser began.")
        document = await self._get_document()
        named = answer.get("iss")
        if named != self._issuer and (named is not None or document.names_itself):
            raise SignInFailed("The answer is not from the provider of this server.")
        if "error" in answer:
            raise SignInFailed(f"The provider refused: {shorten(answer['error'])}.")
        if not answer.get("code"):
            raise SignInFailed("The provider's answer has no code.")
        return await self._verify(await self._client.exchange(document, attempt, answer["code"], redirect_uri), attempt)

    async def _verify(self, id_token: str, attempt: OidcAttempt) -> TokenFacts:
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        verifier = TokenVerifier(
            self._settings,
            issuer=self._issuer or "",
            audience=self._client.client_id,
            signing_keys=(await self._get_document()).signing_keys,
        )
        try:
            claims: dict[str, Any] = await verifier.decode(id_token)
            CodeIDToken(claims, {}, params={"nonce": attempt.nonce, "client_id": self._client.client_id}).validate(
                leeway=self._settings.jwt_leeway_seconds
            )
            return verifier.read(claims)
        except NotSignedIn as error:
            raise SignInFailed(error.detail) from None
        except JoseError as error:
            raise SignInFailed(f"The token does not hold: {shorten(error.description or error.error)}.") from None

    async def _get_document(self) -> ProviderDocument:
        if self._provider is None:
            raise NotFound(
                "This server has no provider to sign in with.",
                remedy="Sign in with a name and a password, or set UNDERSTUDY_OIDC_ISSUER.",
            )
        return await self._provider.get_document()
