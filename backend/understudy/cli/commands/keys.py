"""Commands for the keys of machines."""

from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import validate_request
from understudy.cli.framework.session import Session
from understudy.cli.views.accounts import format_key, format_keys
from understudy.cli.views.cells import to_text
from understudy.schemas.access.account import KeyCreate, KeyList, KeyUpdate
from understudy.schemas.access.role import Role

group = typer.Typer(help="Keys of machines: create, list, limit, assign, revoke.", no_args_is_help=True)


@command(group, "create", example="understudy keys create gate-3 --role device --source gate-3")
async def create(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the key, which the history shows.")],
    role: Annotated[Role, typer.Option("--role", help="viewer, operator, editor, admin or device.")],
    source: Annotated[
        str | None, typer.Option("--source", show_default=False, help="The only source that a device may name.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person", show_default=False, help="The person for whom it speaks where an activation needs two people."
        ),
    ] = None,
    expires_days: Annotated[
        int | None,
        typer.Option("--expires-days", min=1, max=3650, show_default=False, help="Days after which the key ends."),
    ] = None,
) -> None:
    """Make a key for a machine and print it. It is shown this once only: what is stored cannot be turned back."""
    fields = {"name": name, "role": role, "source": source, "expires_days": expires_days}
    async with session.open_access() as access:
        fields["person_id"] = None if person is None else await access.people.get_id(person)
        request = validate_request(KeyCreate, fields)
        key = await access.keys.create(request, by=session.actor)
    hint = to_text("Keep it now, it is not shown again. Send it as: Authorization: Bearer KEY", "dim")
    session.output.print_answer(key, format_key(key), to_text(key.key, "bold"), hint)


@command(group, "list", example="understudy keys list")
async def list_keys(session: Session) -> None:
    """List all keys without their secrets."""
    async with session.open_access() as access:
        keys = await access.keys.list()
    session.output.print_answer(KeyList(keys=keys), format_keys(keys))


@command(group, "revoke", example="understudy keys revoke gate-3")
async def revoke(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or prefix of the key.")],
) -> None:
    """End a key. Its open event streams and WebSockets end within a second."""
    async with session.open_access() as access:
        key = await access.keys.revoke(name, by=session.actor)
    session.output.print_answer(key, format_key(key))


@command(group, "limit", example="understudy keys limit gate-3 --rate 5 --at-once 2")
async def limit(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or prefix of the key.")],
    rate: Annotated[
        float | None, typer.Option("--rate", show_default=False, help="Requests a second; without it as its role.")
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option("--at-once", show_default=False, help="Requests and streams at once; without it as its role."),
    ] = None,
) -> None:
    """Replace the limits of a key; those that are not named are again those of its role. They count within a second."""
    limits = validate_request(KeyUpdate, {"requests_per_second": rate, "concurrent_requests": at_once})
    async with session.open_access() as access:
        key = await access.keys.update(name, limits, by=session.actor)
    session.output.print_answer(key, format_key(key))


@command(group, "assign", example="understudy keys assign ci --person anna")
async def assign(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name or prefix of the key.")],
    person: Annotated[
        str | None, typer.Option("--person", show_default=False, help="Name of the person; without it, nobody.")
    ] = None,
) -> None:
    """Say for whom a key speaks where an activation needs two people: nobody approves what their own key asked for."""
    async with session.open_access() as access:
        person_id = None if person is None else await access.people.get_id(person)
        key = await access.keys.update(name, KeyUpdate(person_id=person_id), by=session.actor)
    session.output.print_answer(key, format_key(key))
