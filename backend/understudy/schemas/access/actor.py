"""Names the author of a change: the source, and the principal who asked."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Source(StrEnum):
    """The way by which a change came.

    `STARTUP` and `FOLLOW_UP` are the server's own work: while it starts, and after that. `SQL` was typed into the
    database by hand. Entries of earlier versions have `server` and `database`.
    """

    API = "api"
    PAGE = "page"
    CLI = "cli"
    SCRIPT = "script"
    STARTUP = "startup"
    FOLLOW_UP = "follow-up"
    SQL = "sql"
    MIGRATION = "migration"


@dataclass(frozen=True)
class ActingPrincipal:
    """The principal who asked: an account of ours, or the system user who typed a command, who has no id here."""

    principal_id: int | None
    name: str | None
    kind: str


SYSTEM_USER = "system_user"


class Actor(str):
    """The source of a change, and the principal who asked, where there is one.

    It is the text of the history's column `actor`, so that a use-case may also be called with the source alone.
    """

    __slots__ = ("principal",)

    principal: ActingPrincipal | None

    def __new__(cls, source: str, principal: ActingPrincipal | None = None) -> Self:
        actor = super().__new__(cls, source)
        actor.principal = principal
        return actor


def get_principal(actor: str) -> ActingPrincipal | None:
    """Return the principal behind a change, or None for one that nobody signed in for."""
    return actor.principal if isinstance(actor, Actor) else None


def get_principal_id(actor: str) -> int | None:
    """Return the id of the account behind a change, or None."""
    principal = get_principal(actor)
    return None if principal is None else principal.principal_id
