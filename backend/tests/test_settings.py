"""Settings refuse unsafe combinations and the documentation lists every one."""

from pathlib import Path

import pytest

from understudy.errors import UnsafeBinding
from understudy.settings import Settings, is_loopback

DOCS = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])  # noqa: S104
def test_an_address_that_others_reach_is_refused(host: str, home: Path) -> None:
    with pytest.raises(UnsafeBinding, match="no access control"):
        Settings(home=home, host=host)
    assert Settings(home=home, host=host, allow_unauthenticated=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_needs_no_permission(host: str, home: Path) -> None:
    assert is_loopback(host)
    assert Settings(home=home, host=host).host == host


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgresql://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgresql+psycopg://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
    ],
)
def test_a_postgresql_address_gets_its_driver(given: str, used: str, home: Path) -> None:
    assert Settings(home=home, database_url=given).sqlalchemy_url == used


def test_without_an_address_the_database_is_a_file_in_var(settings: Settings) -> None:
    assert settings.sqlalchemy_url == f"sqlite+aiosqlite:///{settings.home}/var/understudy.db"


def test_the_environment_sets_every_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERSTUDY_PORT", "9001")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    settings = Settings()
    assert (settings.home, settings.port, settings.database_url) == (tmp_path, 9001, "postgresql://elsewhere/db")


def test_the_documentation_lists_every_setting_and_no_other() -> None:
    rows = [line.split("|") for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    documented = {row[1].strip(" `"): row[3].strip() for row in rows}
    expected = {
        "DATABASE_URL" if name == "database_url" else f"UNDERSTUDY_{name.upper()}": field.description
        for name, field in Settings.model_fields.items()
    }
    assert documented == expected
