"""Tokens of other services: which ones hold, and which role they give."""

import base64
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from pydantic import SecretStr

from understudy.access.tokens.bearer_tokens import BearerTokens
from understudy.access.tokens.signing_keys import SigningKeys
from understudy.access.tokens.token_verifier import TokenFacts
from understudy.errors import IssuerUnavailable, NotSignedIn
from understudy.models import utc_now
from understudy.schemas.access.role import Role
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

SECRET = "a secret of at least thirty-two characters"  # noqa: S105
ISSUER = "https://id.example"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
PUBLIC: list[dict[str, Any]] = [
    json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key())) | {"kid": "rsa", "use": "sig"},
    json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key())) | {"kid": "ec"},
    json.loads(OKPAlgorithm.to_jwk(ED_KEY.public_key())) | {"kid": "ed"},
    {"kty": "oct", "kid": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
]


def build_claims(**changes: Any) -> dict[str, Any]:
    claims = {
        "sub": "5f0c",
        "iss": ISSUER,
        "aud": "authenticated",
        "exp": utc_now() + timedelta(minutes=5),
        "email": "ada@example.org",
        "app_metadata": {"understudy_role": "operator"},
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def sign(claims: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


def forge(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    """Sign with a secret that PyJWT would not sign with."""
    parts = [{"alg": "HS256", "typ": "JWT", "kid": kid}, claims | {"exp": int(time.time()) + 300}]
    text = ".".join(encode(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encode(hmac.digest(secret, text.encode(), 'sha256'))}"


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@pytest.fixture
def supabase(settings: Settings) -> Settings:
    return settings.model_copy(update={"jwt_secret": SecretStr(SECRET), "jwt_issuer": ISSUER})


class Issuer:
    """A service that publishes its keys."""

    def __init__(self) -> None:
        self.keys = PUBLIC
        self.asked = 0
        self.out = False

    async def fetch(self, url: str) -> bytes:
        self.asked += 1
        if self.out:
            raise OSError("no route")
        return json.dumps({"keys": self.keys}).encode()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verify(settings: Settings, issuer: Issuer, clock: Clock) -> Callable[[str], Awaitable[TokenFacts]]:
    url = "https://id.example/keys"
    update = {"jwt_jwks_url": url, "jwt_issuer": ISSUER}
    keys = SigningKeys(url, fetch=issuer.fetch, clock=clock)
    return BearerTokens(settings.model_copy(update=update), keys).verify


async def test_a_token_of_supabase_holds(supabase: Settings) -> None:
    facts = await BearerTokens(supabase).verify(sign(build_claims()))
    assert (facts.issuer, facts.subject, facts.name, facts.role) == (ISSUER, "5f0c", "ada@example.org", Role.OPERATOR)
    assert timedelta(0) < facts.expires_at - utc_now() <= timedelta(minutes=5, seconds=30)


async def test_a_token_that_does_not_hold_is_refused_without_being_repeated(supabase: Settings) -> None:
    now = utc_now()
    changes: list[dict[str, Any]] = [
        {"exp": now - timedelta(seconds=31)},
        {"nbf": now + timedelta(hours=1)},
        {"iss": "https://other.example"},
        {"aud": "anon"},
        *({name: None} for name in ("exp", "sub", "iss", "aud")),
        {"sub": ""},
        {"sub": "x" * 256},
    ]
    good = sign(build_claims())
    forged = [
        sign(build_claims(), "another secret of thirty-two characters"),
        sign(build_claims(), SECRET * 2, "HS512"),
        jwt.encode(build_claims(), "", algorithm="none"),
        good[:-2],
        good.rpartition(".")[0] + ".",
    ]
    for token in (*(sign(build_claims(**each)) for each in changes), *forged, "", "a.b.c", "not a token"):
        with pytest.raises(NotSignedIn) as refused:
            await BearerTokens(supabase).verify(token)
        assert len(token) < 12 or token not in refused.value.detail


async def test_clocks_may_differ_by_the_leeway(supabase: Settings) -> None:
    await BearerTokens(supabase).verify(sign(build_claims(exp=utc_now() - timedelta(seconds=28))))


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA_KEY, "RS256", "rsa"), (RSA_KEY, "PS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")],
)
async def test_a_token_that_a_published_key_signed_holds(
    verify: Callable[[str], Awaitable[TokenFacts]], key: Any, algorithm: str, kid: str
) -> None:
    assert (await verify(sign(build_claims(), key, algorithm, kid))).subject == "5f0c"


async def test_a_public_key_is_never_the_secret_of_a_token(verify: Callable[[str], Awaitable[TokenFacts]]) -> None:
    """The classic forgery: HS256 with the text of the public key, or with a secret among the published keys."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret, kid in (
        (pem, "rsa"),
        (json.dumps(PUBLIC[0]).encode(), "rsa"),
        (b"secret-secret-secret-secret-secret", "oct"),
    ):
        with pytest.raises(NotSignedIn, match="does not accept"):
            await verify(forge(build_claims(), secret, kid))
    for key, algorithm, kid in ((EC_KEY, "ES256", "rsa"), (RSA_KEY, "RS256", "ec"), (EC_KEY, "ES256", "oct")):
        with pytest.raises(NotSignedIn):
            await verify(sign(build_claims(), key, algorithm, kid))


async def test_new_keys_of_the_issuer_are_found_and_made_up_ones_do_not_flood_it(
    verify: Callable[[str], Awaitable[TokenFacts]], issuer: Issuer, clock: Clock
) -> None:
    issuer.keys = PUBLIC[1:]
    with pytest.raises(NotSignedIn):
        await verify(sign(build_claims(), RSA_KEY, "RS256", "rsa"))
    issuer.keys = PUBLIC
    for kid in ("rsa", "made up", "another"):
        with pytest.raises(NotSignedIn):
            await verify(sign(build_claims(), RSA_KEY, "RS256", kid))
    assert issuer.asked == 1
    clock.now += 11
    await verify(sign(build_claims(), RSA_KEY, "RS256", "rsa"))
    assert issuer.asked == 2


async def test_while_the_issuer_is_out_the_keys_that_were_read_hold(
    verify: Callable[[str], Awaitable[TokenFacts]], issuer: Issuer, clock: Clock
) -> None:
    issuer.out = True
    token = sign(build_claims(), EC_KEY, "ES256", "ec")
    with pytest.raises(IssuerUnavailable):
        await verify(token)
    issuer.out = False
    clock.now += 11
    await verify(token)
    issuer.out = True
    clock.now += 3600
    await verify(token)


@pytest.mark.parametrize(
    ("settings_change", "claims", "role"),
    [
        ({}, {"app_metadata": {"understudy_role": "admin"}}, Role.ADMIN),
        ({}, {"app_metadata": {"understudy_role": ["viewer", "editor", "staff"]}}, Role.EDITOR),
        ({}, {"app_metadata": {"understudy_role": "device"}}, None),
        ({}, {"app_metadata": {"understudy_role": "owner"}}, None),
        ({}, {"app_metadata": "text"}, None),
        ({}, {"app_metadata": None}, None),
        ({}, {"user_metadata": {"understudy_role": "admin"}, "app_metadata": None}, None),
        ({"jwt_role_claim": "role", "jwt_roles": {"staff": "operator"}}, {"role": "staff"}, Role.OPERATOR),
        ({"jwt_role_claim": "role", "jwt_roles": {"staff": "operator"}}, {"role": "admin"}, None),
        ({"jwt_role_claim": "https://e.example/roles"}, {"https://e.example/roles": ["viewer"]}, Role.VIEWER),
        ({"jwt_role_claim": "realm.roles"}, {"realm": {"roles": [1, None, "viewer"]}}, Role.VIEWER),
    ],
)
async def test_the_role_comes_from_the_claim_that_the_settings_name(
    supabase: Settings, settings_change: dict[str, Any], claims: dict[str, Any], role: Role | None
) -> None:
    tokens = BearerTokens(supabase.model_copy(update=settings_change))
    assert (await tokens.verify(sign(build_claims(**claims)))).role is role
