"""Shows people and keys."""

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import build_fact_table, format_time, to_text
from understudy.schemas.access.account import KeyOut, UserOut


def format_user(user: UserOut) -> RenderableType:
    """Return the facts about one person."""
    return build_fact_table(
        [("name", to_text(user.name)), ("role", to_text(user.role)), ("state", _format_user_state(user))]
    )


def format_users(users: Sequence[UserOut]) -> RenderableType:
    if not users:
        return Text("There are no users: on this machine everybody may do everything.", "dim")
    table = _build_table("id", "name", "role", "state", "since", "signs in by")
    for user in users:
        table.add_row(
            to_text(user.principal_id),
            to_text(user.name),
            to_text(user.role),
            _format_user_state(user),
            format_time(user.created_at),
            to_text("password" if user.issuer is None else f"tokens of {user.issuer}"),
        )
    return table


def format_key(key: KeyOut) -> RenderableType:
    """Return the facts about one key."""
    return build_fact_table(
        [
            ("name", to_text(key.name)),
            ("prefix", to_text(key.prefix)),
            ("role", to_text(key.role)),
            ("source", to_text(key.source)),
            ("expires", format_time(key.expires_at)),
            ("requests a second", to_text(key.requests_per_second or "as its role")),
            ("at once", to_text(key.concurrent_requests or "as its role")),
            ("speaks for", to_text(key.person)),
            ("state", _format_key_state(key)),
        ]
    )


def format_keys(keys: Sequence[KeyOut]) -> RenderableType:
    if not keys:
        return Text("There are no keys. Make one: understudy keys create NAME --role viewer", "dim")
    table = _build_table("id", "name", "prefix", "role", "source", "state", "last used", "expires")
    for key in keys:
        table.add_row(
            to_text(key.principal_id),
            to_text(key.name),
            to_text(key.prefix),
            to_text(key.role),
            to_text(key.source),
            _format_key_state(key),
            format_time(key.last_used_at),
            format_time(key.expires_at),
        )
    return table


def _build_table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table


def _format_user_state(user: UserOut) -> Text:
    return to_text("disabled", "red") if user.disabled else to_text("enabled")


def _format_key_state(key: KeyOut) -> Text:
    return to_text("valid") if key.revoked_at is None else to_text("revoked", "red")
