"""Tests that settings refuse unsafe combinations and that docs/settings.md lists each of them."""

from pathlib import Path

import pytest

from understudy.access_settings import is_loopback
from understudy.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])  # noqa: S104
def test_an_address_that_other_machines_can_reach_needs_accounts(host: str, home: Path) -> None:
    assert Settings(home=home, host=host).needs_accounts
    assert not Settings(home=home, host=host, allow_unauthenticated=True).needs_accounts


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_needs_no_permission(host: str, home: Path) -> None:
    assert is_loopback(host)
    assert not Settings(home=home, host=host).needs_accounts


def test_a_trusted_proxy_lets_other_machines_in_so_that_accounts_are_needed(home: Path) -> None:
    assert Settings(home=home, trusted_proxies=("127.0.0.1",)).needs_accounts


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"jwt_secret": "x" * 32}, "JWT_ISSUER"),
        ({"jwt_jwks_url": "https://id.example/keys"}, "JWT_ISSUER"),
        ({"jwt_secret": "x" * 31, "jwt_issuer": "i"}, "fewer than 32"),
        ({"jwt_jwks_url": "http://id.example/keys", "jwt_issuer": "i"}, "not an https address"),
        ({"jwt_roles": {"staff": "device"}}, "jwt_roles"),
        ({"oidc_issuer": "https://id.example"}, "OIDC_CLIENT_ID"),
        ({"oidc_issuer": "http://id.example", "oidc_client_id": "i"}, "not an https address"),
        ({"oidc_scopes": "email"}, "openid is missing"),
        ({"tls_cert": "cert.pem"}, "must both be set"),
        ({"trusted_proxies": ("proxy.example",)}, "not an address or a network"),
    ],
)
def test_settings_of_access_that_would_be_unsafe_are_refused(wrong: dict[str, object], reason: str, home: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        Settings.model_validate({"home": home, **wrong})


def test_a_secret_is_in_no_text_about_the_settings(home: Path) -> None:
    secret = "a secret of at least thirty-two characters"  # noqa: S105
    settings = Settings.model_validate({"home": home, "jwt_secret": secret, "jwt_issuer": "i"})
    assert secret not in f"{settings!r} {settings} {settings.model_dump_json()}"
    with pytest.raises(ValueError, match="JWT_ISSUER") as refused:
        Settings.model_validate({"home": home, "jwt_secret": secret})
    assert secret not in str(refused.value)


@pytest.mark.parametrize("written", ["a.example,b.example", " a.example, b.example ,", '["a.example", "b.example"]'])
def test_a_list_is_read_with_commas_and_as_json(written: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_ALLOWED_HOSTS", written)
    assert Settings(home=home).allowed_hosts == ("a.example", "b.example")


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("https://App.example/, http://localhost:3000", ("https://app.example", "http://localhost:3000")),
        ('["https://app.example:443", "http://[::1]:80"]', ("https://app.example", "http://[::1]")),
        ("capacitor://localhost", ("capacitor://localhost",)),
    ],
)
def test_origins_are_read_as_browsers_send_them(
    written: str, used: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("UNDERSTUDY_ALLOWED_ORIGINS", written)
    assert Settings(home=home).allowed_origins == used


@pytest.mark.parametrize("origin", ["*", "null", "app.example", "https://app.example/page", "https://*.app.example"])
def test_what_is_not_one_origin_is_refused(origin: str, home: Path) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        Settings(home=home, allowed_origins=(origin,))


@pytest.mark.parametrize("name", ["http://audio.example", "audio.example:8000", "*", "*.example"])
def test_what_is_not_a_host_name_is_refused(name: str, home: Path) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        Settings(home=home, allowed_hosts=(name,))


@pytest.mark.parametrize(
    ("written", "used"), [("  postgresql://h/db\n", "postgresql://h/db"), ("", None), (" \n", None)]
)
def test_space_around_the_database_address_is_dropped(
    written: str, used: str | None, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", written)
    assert Settings(home=home).database_url == used


def test_the_environment_sets_every_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_PORT", "9001")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    settings = Settings()
    assert (settings.home, settings.port, settings.database_url) == (tmp_path, 9001, "postgresql://elsewhere/db")


def test_the_documentation_lists_every_setting_with_its_default() -> None:
    rows = [line.split("|") for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    documented = {row[1].strip(" `"): (row[2].strip(), row[3].strip()) for row in rows}
    # Defaults that depend on the machine are described in words.
    by_words = {"home": "`backend/` of the checkout; the working folder of an installed wheel"}
    by_words |= {"inference_threads": "number of cores", "workers": "number of cores on Linux, else 0"}
    expected = {}
    for name, field in Settings.model_fields.items():
        variable = "DATABASE_URL" if name == "database_url" else f"UNDERSTUDY_{name.upper()}"
        default = by_words.get(name) or ("unset" if field.default in (None, ()) else f"`{field.default}`")
        expected[variable] = (default, field.description)
    assert documented == expected


def test_the_environment_variables_of_the_documentation_are_the_names_that_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A default that is written into its own variable changes nothing."""
    plain = Settings(home=tmp_path)
    for row in (line.split("|") for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")):
        if row[2].strip().startswith("`") and row[1].strip(" `") != "UNDERSTUDY_HOME":
            monkeypatch.setenv(row[1].strip(" `"), row[2].strip(" `"))
    assert Settings(home=tmp_path) == plain
