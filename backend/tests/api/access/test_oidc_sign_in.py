"""Signing in at a real OpenID provider (the npm package oidc-provider), and the attacks on it."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from tests.api.access.conftest import GuardedServer, bearer, make_token
from understudy.access.access import Access
from understudy.access.oidc.client import OidcAttempt
from understudy.access.oidc.provider import OidcProvider
from understudy.access.oidc.sign_ins import OidcSignIns
from understudy.errors import IssuerUnavailable, SignInFailed
from understudy.schemas.access.role import Role
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

FRONTEND = Path(__file__).resolve().parents[4] / "frontend"
CLIENT_ID, CLIENT_SECRET = "understudy", "a secret of this server & of the provider"
BEGIN, CALLBACK = "/api/v1/session/oidc", "/api/v1/session/oidc/callback"
REDIRECT_URI = f"http://localhost{CALLBACK}"
SESSION_COOKIE, ATTEMPT_COOKIE = "understudy_session", "understudy_sign_in"
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def issuers() -> Iterator[list[str]]:
    """The issuers of two providers that sign with the same keys."""
    node = shutil.which("node")
    if node is None or not (FRONTEND / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("needs node and the npm package oidc-provider (`npm ci` in frontend)")
    environment = os.environ | {
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "REDIRECT_URI": REDIRECT_URI,
    }
    script = FRONTEND / "e2e" / "oidc-provider.mjs"
    with subprocess.Popen(
        [node, str(script)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as provider:
        assert provider.stdout is not None
        try:
            yield json.loads(provider.stdout.readline())
        finally:
            provider.kill()


@pytest.fixture
def guarded_settings(guarded_settings: Settings, issuers: list[str]) -> Settings:
    """The provider's group is the role."""
    return guarded_settings.model_copy(
        update={
            "oidc_issuer": issuers[0],
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
            "oidc_name": "Example",
            "jwt_role_claim": "groups",
            "jwt_roles": {"editors": "editor", "viewers": "viewer"},
        }
    )


@asynccontextmanager
async def open_browser(server: GuardedServer) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def visit_provider(url: str, login: str, refuse: bool = False) -> dict[str, str]:
    """Sign in and consent at the provider as a person does; return the parameters of its answer."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:
        for _ in range(12):
            answer = await browser.get(url)
            if "location" not in answer.headers:
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert prompt is not None, answer.text
                if refuse:
                    answer = await browser.get(f"{url}/abort")
                else:
                    answer = await browser.post(url, data={"prompt": prompt[1], "login": login, "password": "any"})
            url = str(answer.url.join(answer.headers["location"]))
            if url.startswith(REDIRECT_URI):
                return dict(parse_qsl(urlsplit(url).query))
    raise AssertionError(f"the provider did not come to an end: {url}")


@dataclass
class Attempt:
    """A sign-in of a browser up to the provider's answer."""

    browser: httpx.AsyncClient
    answer: dict[str, str]

    async def finish(self, **changes: str | None) -> httpx.Response:
        params = {name: value for name, value in (self.answer | changes).items() if value is not None}
        return await self.browser.get(CALLBACK, params=params)

    def change_cookie(self, **changes: str) -> None:
        fields = json.loads(base64.urlsafe_b64decode(self.browser.cookies[ATTEMPT_COOKIE])) | changes
        self.browser.cookies.delete(ATTEMPT_COOKIE)
        value = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()
        self.browser.cookies.set(ATTEMPT_COOKIE, value, domain="localhost.local", path=BEGIN)


@pytest.fixture
async def browser(guarded: GuardedServer) -> AsyncIterator[httpx.AsyncClient]:
    async with open_browser(guarded) as browser:
        yield browser


async def begin(browser: httpx.AsyncClient, login: str = "editors-ada", next_path: str = "/") -> Attempt:
    answer = await browser.get(BEGIN, params={"next": next_path})
    assert answer.status_code == 303, answer.text
    return Attempt(browser, await visit_provider(answer.headers["location"], login))


def assert_refused(answer: httpx.Response, detail: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (422, "sign_in_failed")
    assert detail in answer.json()["detail"]
    assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")


async def test_a_person_signs_in_with_the_role_of_the_claim(guarded: GuardedServer, browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/api/v1/session")).json()["sign_in_with"] == "Example"
    attempt = await begin(browser, next_path="/models/1?x=1")
    answer = await attempt.finish()
    assert (answer.status_code, answer.headers["location"]) == (303, "/models/1?x=1")
    [session] = [each for each in answer.headers.get_list("set-cookie") if each.startswith(SESSION_COOKIE)]
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in session.split(";")}
    assert ATTEMPT_COOKIE not in browser.cookies
    state = (await browser.get("/api/v1/session")).json()
    assert (state["name"], state["role"], state["kind"], state["by_session"]) == (
        "editors-ada@example.org",
        "editor",
        "identity",
        True,
    )
    assert (await browser.get("/api/v1/models")).status_code == 200
    assert (await browser.get("/api/v1/users")).status_code == 403
    identity = (await guarded.access.people.list())[-1]
    assert (identity.issuer, identity.subject) == (guarded.services.settings.oidc_issuer, "editors-ada")
    await guarded.access.people.update(identity.principal_id, disabled=True, by="test")
    await guarded.access.refresh()
    assert (await browser.get("/api/v1/models")).status_code == 401
    disabled = await (await begin(browser)).finish()
    assert (disabled.status_code, disabled.json()["detail"]) == (401, "The account is disabled.")


async def test_a_second_sign_in_is_the_same_principal(guarded: GuardedServer, browser: httpx.AsyncClient) -> None:
    for login in ("viewers-grace", "viewers-grace"):
        assert (await (await begin(browser, login)).finish()).status_code == 303
    assert [each.subject for each in await guarded.access.people.list()].count("viewers-grace") == 1


async def test_who_has_no_role_is_not_signed_in(guarded: GuardedServer, browser: httpx.AsyncClient) -> None:
    answer = await (await begin(browser, "guests-eve")).finish()
    assert (answer.status_code, answer.json()["code"]) == (403, "no_role")
    assert SESSION_COOKIE not in browser.cookies
    assert len(await guarded.access.people.list()) == 1


async def test_a_browser_is_sent_to_the_page_that_shows_the_problem(browser: httpx.AsyncClient) -> None:
    browser.headers.update(HTML)
    answer = await (await begin(browser, "guests-eve")).finish()
    assert (answer.status_code, answer.headers["location"]) == (303, "/?sign_in_problem=no_role")
    answer = await browser.get(CALLBACK, params={"code": "x", "state": "y"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?sign_in_problem=sign_in_failed")


async def test_a_person_who_refuses_at_the_provider_is_not_signed_in(browser: httpx.AsyncClient) -> None:
    url = (await browser.get(BEGIN)).headers["location"]
    attempt = Attempt(browser, await visit_provider(url, "editors-ada", refuse=True))
    assert_refused(await attempt.finish(), "access_denied")


async def test_the_answer_of_another_browsers_sign_in_is_refused(
    guarded: GuardedServer, browser: httpx.AsyncClient
) -> None:
    attackers = await begin(browser, "editors-mallory")
    async with open_browser(guarded) as victim:
        # Without an attempt of its own, with one, and with the attacker's state replaced by its own.
        assert_refused(await Attempt(victim, attackers.answer).finish(), "not begun in this browser")
        await victim.get(BEGIN)
        assert_refused(await Attempt(victim, attackers.answer).finish(), "another sign-in")
        state = json.loads(base64.urlsafe_b64decode(victim.cookies[ATTEMPT_COOKIE]))["state"]
        # PKCE: the code belongs to the attacker's verifier.
        assert_refused(await Attempt(victim, attackers.answer).finish(state=state), "did not take the code")


async def test_a_wrong_state_is_refused(browser: httpx.AsyncClient) -> None:
    attempt = await begin(browser)
    for state in ("", "wrong", None, f"{attempt.answer['state']}x"):
        assert_refused(await attempt.finish(state=state), "another sign-in")


async def test_a_code_holds_once(guarded: GuardedServer, browser: httpx.AsyncClient) -> None:
    attempt = await begin(browser)
    cookie = browser.cookies[ATTEMPT_COOKIE]
    assert (await attempt.finish()).status_code == 303
    async with open_browser(guarded) as thief:
        thief.cookies.set(ATTEMPT_COOKIE, cookie)
        assert_refused(await Attempt(thief, attempt.answer).finish(), "invalid_grant")


async def test_a_wrong_nonce_is_refused(browser: httpx.AsyncClient) -> None:
    attempt = await begin(browser)
    attempt.change_cookie(nonce="another")
    assert_refused(await attempt.finish(), "nonce")


async def test_a_code_without_its_verifier_is_refused(browser: httpx.AsyncClient) -> None:
    attempt = await begin(browser)
    attempt.change_cookie(code_verifier="x" * 64)
    assert_refused(await attempt.finish(), "invalid_grant")


async def test_the_answer_of_another_provider_is_refused(
    guarded: GuardedServer, browser: httpx.AsyncClient, issuers: list[str]
) -> None:
    for iss, reason in (
        (issuers[1], "not from the provider"),
        (None, "not from the provider"),
        (issuers[0], "invalid_"),
    ):
        own = (await browser.get(BEGIN)).headers["location"]
        elsewhere = await visit_provider(own.replace(issuers[0], issuers[1]), "editors-mallory")
        assert_refused(await Attempt(browser, elsewhere).finish(iss=iss), reason)


async def fetch_id_token(settings: Settings, access: Access, **changes: str) -> tuple[str, OidcAttempt]:
    """Return a genuine ID token that a provider made for these settings."""
    sign_ins = OidcSignIns(
        settings.model_copy(update=changes), access.sign_ins._database, access.sign_ins, access.attempts
    )
    url, attempt = await sign_ins.begin(REDIRECT_URI, "/")
    answer = await visit_provider(url, "editors-ada")
    document = await sign_ins._get_document()
    return await sign_ins._client.exchange(document, attempt, answer["code"], REDIRECT_URI), attempt


async def test_a_genuine_token_of_another_issuer_or_for_another_client_is_refused(
    guarded: GuardedServer, issuers: list[str]
) -> None:
    settings, oidc = guarded.services.settings, guarded.access.oidc
    token, attempt = await fetch_id_token(settings, guarded.access)
    assert (await oidc._verify(token, attempt)).role is Role.EDITOR
    with pytest.raises(SignInFailed, match="invalid issuer"):
        await oidc._verify(*await fetch_id_token(settings, guarded.access, oidc_issuer=issuers[1]))
    with pytest.raises(SignInFailed, match="udience"):
        await oidc._verify(*await fetch_id_token(settings, guarded.access, oidc_client_id="other"))
    head, body, signature = token.split(".")
    fields = json.loads(base64.urlsafe_b64decode(body + "==")) | {"groups": ["owners"]}
    forged = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    with pytest.raises(SignInFailed, match="ignature"):
        await oidc._verify(f"{head}.{forged}.{signature}", attempt)
    with pytest.raises(SignInFailed, match="nonce"):
        await oidc._verify(token, replace(attempt, nonce="another"))
    with pytest.raises(SignInFailed, match="does not accept"):  # HS256 with the secret of bearer tokens
        await oidc._verify(make_token("ada", "admin"), attempt)


async def test_the_sign_in_leads_to_no_other_site(browser: httpx.AsyncClient) -> None:
    for next_path in (
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil",
        "",
        "/x\\y",
        "/api/v1/status",
        "/docs",
    ):
        answer = await browser.get(BEGIN, params={"next": next_path}, headers=HTML)
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), next_path
        assert "set-cookie" not in answer.headers


async def test_a_changed_cookie_leads_to_no_other_site(browser: httpx.AsyncClient) -> None:
    attempt = await begin(browser)
    attempt.change_cookie(next_path="//evil.example")
    assert_refused(await attempt.finish(), "not begun in this browser")


async def test_no_secret_of_the_sign_in_is_shown(browser: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]) -> None:
    attempt = await begin(browser)
    fields = json.loads(base64.urlsafe_b64decode(browser.cookies[ATTEMPT_COOKIE]))
    failed = await attempt.finish(state="wrong")
    attempt = await begin(browser)
    done = await attempt.finish()
    shown = "".join((*capfd.readouterr(), failed.text, done.text, done.headers["location"]))
    assert "sign-in at the provider failed" in shown
    secrets = (CLIENT_SECRET, fields["code_verifier"], fields["nonce"], attempt.answer["code"])
    assert [secret for secret in secrets if secret in shown] == []


async def test_without_a_provider_the_way_is_closed(guarded: GuardedServer, browser: httpx.AsyncClient) -> None:
    guarded.access.oidc._provider = None
    none = await browser.get(BEGIN)
    assert (none.status_code, none.json()["detail"]) == (404, "This server has no provider to sign in with.")
    assert_refused(await browser.get(CALLBACK), "not begun in this browser")


async def test_a_bearer_token_of_the_same_subject_is_another_issuers(
    guarded: GuardedServer, browser: httpx.AsyncClient
) -> None:
    await (await begin(browser, "editors-ada")).finish()
    token = make_token("editors-ada", None, groups=["viewers"])
    assert (await browser.get("/api/v1/session", headers=bearer(token))).json()["role"] == "viewer"
    assert (await browser.get("/api/v1/session")).json()["role"] == "editor"
    assert len(await guarded.access.people.list()) == 3


DOCUMENT = {
    "issuer": "https://id.example",
    "authorization_endpoint": "https://id.example/auth",
    "token_endpoint": "https://id.example/token",
    "jwks_uri": "https://id.example/keys",
}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps(DOCUMENT | {"issuer": "https://evil.example"}).encode(),
        json.dumps(DOCUMENT | {"token_endpoint": "http://id.example/token"}).encode(),
        json.dumps(DOCUMENT | {"jwks_uri": 5}).encode(),
    ],
)
async def test_a_document_of_another_issuer_or_without_https_is_not_used(body: bytes) -> None:
    async def fetch(url: str) -> bytes:
        assert url == "https://id.example/.well-known/openid-configuration"
        return body

    with pytest.raises(IssuerUnavailable) as refused:
        await OidcProvider("https://id.example", fetch=fetch).get_document()
    assert "UNDERSTUDY_OIDC_ISSUER" in str(refused.value.problem()["remedy"])


async def test_the_document_holds_while_the_provider_is_out() -> None:
    now, answers = [0.0], [json.dumps(DOCUMENT).encode()]

    async def fetch(url: str) -> bytes:
        if not answers:
            raise OSError("out")
        return answers.pop()

    provider = OidcProvider("https://id.example", fetch=fetch, clock=lambda: now[0])
    first = await provider.get_document()
    now[0] = 601.0
    assert await provider.get_document() is first
