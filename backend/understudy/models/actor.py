"""Who changed something: the source of the change and the principal who asked."""

from typing import Self


class Actor(str):
    """The source of a change (`api`, `cli`, `script`, `server`), and the principal who asked, where there is one.

    It is the text of the history's column `actor`, so that a use-case may also be called with the source alone.
    """

    __slots__ = ("principal_id", "principal_name")

    principal_id: int | None
    principal_name: str | None

    def __new__(cls, source: str, principal_id: int | None = None, principal_name: str | None = None) -> Self:
        actor = super().__new__(cls, source)
        actor.principal_id = principal_id
        actor.principal_name = principal_name
        return actor


def get_principal_id(actor: str) -> int | None:
    """Return the id of the principal behind a change, or None for one that nobody signed in for."""
    return actor.principal_id if isinstance(actor, Actor) else None
