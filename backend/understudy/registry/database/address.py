"""Parses the database address and formats it without its password."""

import re
from urllib.parse import unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from understudy.errors import Misconfigured
from understudy.settings import Settings

_REMEDY = "Set DATABASE_URL to postgresql://USER:PASSWORD@HOST/NAME or sqlite:////FOLDER/FILE.db, or unset it."
# Addresses are copied from other tools, and name the drivers of those tools. Understudy brings its own.
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite+aiosqlite"}


def parse_address(settings: Settings) -> URL:
    """Return the address of `settings` with the driver that Understudy uses, whatever driver it names.

    The password may hold any character, percent-encoded or not: it ends at the last `@`.

    Raises Misconfigured for an address that is malformed, names no file (SQLite) or names another kind of database.
    Its text never shows a part of the password.
    """
    if settings.database_url is None:
        return URL.create("sqlite+aiosqlite", database=str(settings.var_dir / "understudy.db"))
    scheme, separator, rest = settings.database_url.partition("://")
    if not separator or not re.fullmatch(r"[a-z][a-z0-9+]*", scheme):
        raise Misconfigured("DATABASE_URL is not a database address.", remedy=_REMEDY)
    driver = _DRIVERS.get(scheme.partition("+")[0])
    if driver is None:
        raise Misconfigured(f"DATABASE_URL names {scheme}, which is not supported.", remedy=_REMEDY)
    user, password, place = _split_user(rest)
    try:
        url = make_url(f"{driver}://{place}").set(username=user, password=password)
    except (ArgumentError, ValueError):
        # The part that cannot be read may be a piece of a password: it must not be shown.
        raise Misconfigured(
            "DATABASE_URL is not a database address: its host or port cannot be read.", remedy=_REMEDY
        ) from None
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise Misconfigured(
            "DATABASE_URL names no file, and a database in memory is lost with every connection.", remedy=_REMEDY
        )
    if url.get_backend_name() == "postgresql" and "ssl" in url.query:  # asyncpg's name of the option
        ssl = url.query["ssl"]
        url = url.difference_update_query(["ssl"]).update_query_dict({"sslmode": ssl})
    return url


def _split_user(rest: str) -> tuple[str | None, str | None, str]:
    """Split what follows `://` into user, password and place; a password may hold `@`, `/`, `?`, `#` and `:`."""
    before_query = rest.partition("?")[0]
    user, at, place = (before_query if "@" in before_query else rest).rpartition("@")
    if not at:
        return None, None, rest
    place += rest[len(before_query) :] if "@" in before_query else ""
    name, colon, password = user.partition(":")
    return unquote(name), unquote(password) if colon else None, place


def format_address(url: URL) -> str:
    """Return the address without its password, which may also be among the options."""
    harmless = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return url.set(query=harmless).render_as_string(hide_password=True)
