"""Commands for the people who may use the server."""

from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import validate_request
from understudy.cli.framework.password_input import read_password
from understudy.cli.framework.session import Session
from understudy.cli.views.accounts import format_user, format_users
from understudy.cli.views.cells import to_text
from understudy.schemas.access.account import UserCreate, UserList, UserOut
from understudy.schemas.access.role import Role

group = typer.Typer(help="People: add, list, role, password, disable, enable, sign-out, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name with which the person signs in.")]
RoleOption = Annotated[
    Role, typer.Option("--role", help="viewer, operator, editor or admin: each may do what the ones before it may.")
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]


@command(group, "add", example="understudy users add anna --role admin")
async def add(session: Session, name: Name, role: RoleOption, password_stdin: FromStdin = False) -> None:
    """Add a person, and ask for the password. From the first account on, everybody has to sign in or to use a key."""
    password = read_password(from_stdin=password_stdin)
    request = validate_request(UserCreate, {"name": name, "role": role, "password": password})
    async with session.open_access() as access:
        user = await access.people.add(request.name, request.role, password, by=session.actor)
    session.output.print_answer(user, format_user(user))


@command(group, "list", example="understudy users list")
async def list_users(session: Session) -> None:
    """List people, and the identities of other services' tokens that were seen."""
    async with session.open_access() as access:
        users = await access.people.list()
    session.output.print_answer(UserList(users=users), format_users(users))


@command(group, "role", example="understudy users role anna operator")
async def role(
    session: Session,
    name: Name,
    new_role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer, operator, editor or admin.")],
) -> None:
    """Give a person another role. It counts at once."""
    async with session.open_access() as access:
        user = await access.people.update(await access.people.get_id(name), role=new_role, by=session.actor)
    _print_user(session, user)


@command(group, "password", example="understudy users password anna")
async def password(session: Session, name: Name, password_stdin: FromStdin = False) -> None:
    """Set a new password, and end the person's sessions."""
    async with session.open_access() as access:
        principal_id = await access.people.get_id(name)
        secret = read_password(from_stdin=password_stdin)
        user = await access.people.update(principal_id, password=secret, by=session.actor)
    _print_user(session, user)


@command(group, "disable", example="understudy users disable anna")
async def disable(session: Session, name: Name) -> None:
    """Shut a person out and end their sessions and open streams; the account stays."""
    await _set_disabled(session, name, disabled=True)


@command(group, "enable", example="understudy users enable anna")
async def enable(session: Session, name: Name) -> None:
    """Let a person who was disabled in again."""
    await _set_disabled(session, name, disabled=False)


@command(group, "sign-out", example="understudy users sign-out anna")
async def sign_out(session: Session, name: Name) -> None:
    """End a person's sessions and open streams in every browser; they may sign in again."""
    async with session.open_access() as access:
        user = await access.people.end_sessions(await access.people.get_id(name), by=session.actor)
    session.output.print_answer(user, to_text(f"{user.name} is signed out everywhere.", "green"))


@command(group, "remove", example="understudy users remove anna")
async def remove(session: Session, name: Name) -> None:
    """Remove a person and their sessions. Their models and the history stay."""
    async with session.open_access() as access:
        user = await access.people.remove(await access.people.get_id(name), by=session.actor)
    session.output.print_answer(user, to_text(f"{user.name} is removed.", "green"))


async def _set_disabled(session: Session, name: str, *, disabled: bool) -> None:
    async with session.open_access() as access:
        user = await access.people.update(await access.people.get_id(name), disabled=disabled, by=session.actor)
    _print_user(session, user)


def _print_user(session: Session, user: UserOut) -> None:
    session.output.print_answer(user, format_user(user))
