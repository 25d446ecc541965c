"""Reads what an OpenID provider publishes about itself (OpenID Connect Discovery 1.0)."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from understudy.access.tokens.fetch_document import fetch_document
from understudy.access.tokens.signing_keys import Fetch, SigningKeys
from understudy.access_settings import is_safe_address
from understudy.errors import IssuerUnavailable

log = structlog.get_logger()

_WELL_KNOWN = "/.well-known/openid-configuration"
_RENEW_SECONDS = 600.0
_REMEDY = "Check UNDERSTUDY_OIDC_ISSUER and that this server can reach it, then sign in again."


@dataclass(frozen=True)
class ProviderDocument:
    """The addresses of a provider, its keys, and how it wants the client to identify itself.

    `names_itself` says that its answers carry `iss` (RFC 9207), so that an answer without it is not its own.
    """

    authorization_endpoint: str
    token_endpoint: str
    signing_keys: SigningKeys
    takes_secret_in_body_only: bool
    names_itself: bool


class OidcProvider:
    """The provider's document, read when needed. While the provider does not answer, the old one holds."""

    def __init__(
        self, issuer: str, *, fetch: Fetch = fetch_document, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._document: ProviderDocument | None = None
        self._read = 0.0
        self._lock = asyncio.Lock()

    async def get_document(self) -> ProviderDocument:
        """Return the document. Raises IssuerUnavailable where it was never read, or is not that of the issuer."""
        async with self._lock:
            if self._document is None or self._clock() - self._read > _RENEW_SECONDS:
                try:
                    body = await self._fetch(self._issuer.rstrip("/") + _WELL_KNOWN)
                    self._document, self._read = self._parse(body), self._clock()
                except (OSError, ValueError, KeyError, TypeError) as error:
                    log.warning("provider not read", issuer=self._issuer, error=f"{type(error).__name__}: {error}")
                    if self._document is None:
                        detail = "The provider of the sign-in does not answer as OpenID Connect asks."
                        raise IssuerUnavailable(detail, remedy=_REMEDY) from None
            return self._document

    def _parse(self, body: bytes) -> ProviderDocument:
        """Raises ValueError, KeyError or TypeError for a document that cannot be used."""
        document = json.loads(body)
        if document["issuer"] != self._issuer:  # section 4.3: it must be exactly the same
            raise ValueError(f"the document is that of the issuer {document['issuer']!r}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(document[name], str) or not is_safe_address(document[name]):
                raise ValueError(f"{name} is not an https address")
        keys_address: str = document["jwks_uri"]
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        known = self._document.signing_keys if self._document is not None else None
        return ProviderDocument(
            authorization_endpoint=document["authorization_endpoint"],
            token_endpoint=document["token_endpoint"],
            signing_keys=known if known and known.url == keys_address else SigningKeys(keys_address, fetch=self._fetch),
            takes_secret_in_body_only="client_secret_basic" not in methods and "client_secret_post" in methods,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )
