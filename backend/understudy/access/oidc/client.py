"""Speaks to an OpenID provider as its client: the address to send a browser to, and the exchange of a code."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from understudy.access.oidc.provider import ProviderDocument
from understudy.access_settings import is_loopback
from understudy.errors import IssuerUnavailable, SignInFailed
from understudy.settings import Settings

if TYPE_CHECKING:
    from authlib.oauth2.client import OAuth2Client

log = structlog.get_logger()

_TIMEOUT_SECONDS = 10.0
_REASON_CHARACTERS = 100
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True)
class OidcAttempt:
    """A sign-in that has begun. The browser that began it keeps it in a cookie, and nobody else can end it.

    `state` ties the provider's answer to the browser, `nonce` the ID token to this attempt, and `code_verifier` the
    code. `next_path` is the page's address to which the browser goes afterwards.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    next_path: str

    def to_fields(self) -> dict[str, str]:
        return asdict(self)


class OidcClient:
    """The client that the settings describe; without a secret it is a public one, and PKCE alone guards the code."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client_id = settings.oidc_client_id or ""

    def build_address(self, document: ProviderDocument, attempt: OidcAttempt, redirect_uri: str) -> str:
        """Return the provider's address at which a browser begins the sign-in."""
        url, _ = self._build_client(document).create_authorization_url(
            document.authorization_endpoint,
            redirect_uri=redirect_uri,
            state=attempt.state,
            nonce=attempt.nonce,
            code_verifier=attempt.code_verifier,
        )
        return str(url)

    async def exchange(self, document: ProviderDocument, attempt: OidcAttempt, code: str, redirect_uri: str) -> str:
        """Return the ID token for the code. Raises SignInFailed where the provider refuses, and IssuerUnavailable.

        A code holds once: the provider says `invalid_grant` to a second use.
        """
        import httpx
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        client = self._build_client(document)
        body = prepare_token_request(
            "authorization_code", redirect_uri=redirect_uri, code=code, code_verifier=attempt.code_verifier
        )
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        auth = client.client_auth(client.token_endpoint_auth_method)
        url, headers, body = auth.prepare("POST", document.token_endpoint, headers, body)
        trust_env = not is_loopback(urlsplit(url).hostname or "")
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=trust_env) as browser:
                response = await browser.post(url, headers=headers, content=body)
            if response.status_code >= _FIRST_SERVER_ERROR:
                response.raise_for_status()
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            log.warning("code not exchanged", error=f"{type(error).__name__}: {error}")
            detail = "The provider of the sign-in does not answer."
            raise IssuerUnavailable(detail, remedy="Try again in a few seconds.") from None
        fields = answer if isinstance(answer, dict) else {}
        if response.is_error:
            raise SignInFailed(f"The provider did not take the code: {shorten(str(fields.get('error')))}.")
        id_token = fields.get("id_token")
        if not isinstance(id_token, str):
            raise SignInFailed("The provider sent no ID token, as an OpenID provider does.")
        return id_token

    def _build_client(self, document: ProviderDocument) -> "OAuth2Client":
        from authlib.oauth2.client import OAuth2Client

        secret = self._settings.oidc_client_secret
        in_body = secret is not None and document.takes_secret_in_body_only
        return OAuth2Client(
            None,  # the request itself is sent above
            client_id=self.client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            token_endpoint_auth_method="client_secret_post" if in_body else None,  # a name
            scope=self._settings.oidc_scopes,
            code_challenge_method="S256",
        )


def shorten(reason: str) -> str:
    """Return what a provider or a browser sent as it may be shown: a word such as `access_denied`."""
    return "".join(each if each.isprintable() else "\ufffd" for each in reason)[:_REASON_CHARACTERS]
