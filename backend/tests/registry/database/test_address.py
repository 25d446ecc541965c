"""Tests that addresses are read as people paste them, and that no error or log shows a password."""

import pytest

from understudy.errors import Misconfigured
from understudy.registry.database.address import format_address, parse_address
from understudy.settings import Settings


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg"]
)
def test_every_name_of_postgresql_gets_the_driver_that_is_used(scheme: str, settings: Settings) -> None:
    url = parse_address(settings.model_copy(update={"database_url": f"{scheme}://u:p@h:5432/db"}))
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h:5432/db"


@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("p@ss", "p@ss"),
        ("p%40ss", "p@ss"),
        ("p/ss@w", "p/ss@w"),
        ("p?ss", "p?ss"),
        ("p:s#s", "p:s#s"),
        ("100%", "100%"),
        ("pä ss", "pä ss"),
        ("", ""),
    ],
)
def test_a_password_may_hold_any_character(written: str, password: str, settings: Settings) -> None:
    address = f"postgresql://user.ref:{written}@pool.example:6543/postgres?sslmode=require"
    url = parse_address(settings.model_copy(update={"database_url": address}))
    assert (url.username, url.password, url.host, url.port) == ("user.ref", password, "pool.example", 6543)
    assert (url.database, dict(url.query)) == ("postgres", {"sslmode": "require"})
    if password:
        assert password not in format_address(url)


def test_the_ssl_option_of_asyncpg_is_translated(settings: Settings) -> None:
    address = "postgresql+asyncpg://u:p@h/db?ssl=require"
    url = parse_address(settings.model_copy(update={"database_url": address}))
    assert dict(url.query) == {"sslmode": "require"}


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:secret@h:port/db",
        "postgresql://u:sec@ret@h:x/db",
        "postgresql//u:secret@h/db",
        "u:secret@h/db",
        "mysql://u:secret@h/db",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_unusable_address_is_refused_without_showing_the_password(address: str, settings: Settings) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse_address(settings.model_copy(update={"database_url": address}))
    assert "DATABASE_URL" in caught.value.detail
    assert not any(part in f"{caught.value.detail}{caught.value.remedy}" for part in ("secret", "ret@", "sec@"))


def test_without_an_address_the_database_is_a_file_in_var(settings: Settings) -> None:
    assert parse_address(settings).database == f"{settings.home}/var/understudy.db"
