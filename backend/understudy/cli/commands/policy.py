"""Commands for the policies of activations: show, set, approve, decline, confirm."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.commands.deployment import follow_activation
from understudy.cli.commands.registry.sign import read_key
from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import validate_request
from understudy.cli.framework.options import OverrideFreeze, Reason
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.cli.views.policies import format_policies, format_status
from understudy.schemas.registry.model import LARGEST_ID
from understudy.schemas.server.policies import PoliciesUpdate

group = typer.Typer(
    help="Policies of activations: a second person's word, freezes, confirmation.", no_args_is_help=True
)

RequestId = Annotated[
    int, typer.Argument(metavar="REQUEST_ID", min=1, max=LARGEST_ID, help="Number of a pending request.")
]


@command(group, "show", example="understudy policy show", remote=True)
async def show(session: Session) -> None:
    """Show the policies, and what they hold back: requests, a freeze, a model that waits to be confirmed."""
    async with session.open_backend(read_only=True) as backend:
        status = await backend.get_policies()
    session.output.print_answer(status, *format_status(status))


@command(group, "set", example='understudy policy set --four-eyes --freeze "fri 16:00 - mon 08:00 UTC"', remote=True)
async def change(
    session: Session,
    four_eyes: Annotated[
        bool | None,
        typer.Option("--four-eyes/--no-four-eyes", show_default=False, help="An activation needs a second person."),
    ] = None,
    request_hours: Annotated[
        int | None, typer.Option("--request-hours", show_default=False, help="A request expires after so many hours.")
    ] = None,
    freezes: Annotated[
        list[str] | None,
        typer.Option(
            "--freeze",
            metavar="SPAN",
            show_default=False,
            help='A span without activations, in place of all that are set: "fri 16:00 - mon 08:00 Europe/Berlin", '
            '"22:00 - 06:00 UTC" each day, or "2026-12-20 00:00 - 2027-01-05 08:00 UTC". Repeat it for several.',
        ),
    ] = None,
    no_freeze: Annotated[bool, typer.Option("--no-freeze", help="Remove all freezes.")] = False,
    confirm_minutes: Annotated[
        int | None,
        typer.Option(
            "--confirm-minutes", show_default=False, help="Return to the model before unless confirmed so soon."
        ),
    ] = None,
    signers: Annotated[
        list[str] | None,
        typer.Option(
            "--signer",
            metavar="NAME=FILE",
            show_default=False,
            help="Only models signed by this public key (PEM) go live, in place of all keys that are set. Repeat it.",
        ),
    ] = None,
    no_signers: Annotated[bool, typer.Option("--no-signers", help="Let unsigned models go live.")] = False,
    no_confirm: Annotated[bool, typer.Option("--no-confirm", help="Ask for no confirmation.")] = False,
) -> None:
    """Change what is named; the rest stays. It holds for all servers at once, and the history has it."""
    changes: dict[str, object] = {"four_eyes": four_eyes, "request_hours": request_hours}
    changes |= {"confirm_minutes": confirm_minutes, "freezes": [_parse_freeze(each) for each in freezes or ()] or None}
    changes = {name: value for name, value in changes.items() if value is not None}
    if signers:
        changes["signers"] = [_read_signer(each) for each in signers]
    if no_signers:
        changes["signers"] = []
    if no_freeze:
        changes["freezes"] = []
    if no_confirm:
        changes["confirm_minutes"] = None
    if not changes:
        raise typer.BadParameter("Name a policy to change: understudy policy set --help.")
    update = validate_request(PoliciesUpdate, changes)
    async with session.open_backend() as backend:
        policies = await backend.update_policies(update)
    session.output.print_answer(policies, format_policies(policies))


@command(group, "approve", example="understudy policy approve 7 --url https://audio.example", remote=True)
async def approve(
    session: Session, request_id: RequestId, override_freeze: OverrideFreeze = False, reason: Reason = None
) -> None:
    """Give the second person's word: the model goes live. It needs the key of a person in UNDERSTUDY_KEY, and --url."""
    async with session.open_backend() as backend:
        await follow_activation(
            session, backend, backend.approve(request_id, reason=reason, override_freeze=override_freeze)
        )


@command(group, "decline", example='understudy policy decline 7 --reason "wrong file"', remote=True)
async def decline(session: Session, request_id: RequestId, reason: Reason = None) -> None:
    """End a request, somebody else's or your own; nothing goes live."""
    async with session.open_backend() as backend:
        request = await backend.decline(request_id, reason)
    session.output.print_answer(request, to_text(f"Request {request.request_id} is declined.", "bold"))


@command(group, "confirm", example="understudy policy confirm", remote=True)
async def confirm(
    session: Session,
    generation: Annotated[
        int | None,
        typer.Option("--generation", min=0, show_default=False, help="Confirm only where this generation is live."),
    ] = None,
) -> None:
    """Keep the live model, which would else be replaced by the one before at the deadline."""
    async with session.open_backend() as backend:
        status = await backend.confirm(generation)
    session.output.print_answer(status, to_text("The live model is confirmed.", "bold green"))


def _parse_freeze(text: str) -> dict[str, str]:
    """Split "BEGIN - END ZONE". Raises BadParameter."""
    begins, found, rest = text.partition(" - ")
    ends, _, zone = rest.strip().rpartition(" ")
    if not found or not ends:
        raise typer.BadParameter(f'{text!r} is no span. Write "fri 16:00 - mon 08:00 Europe/Berlin".')
    return {"begins": begins, "ends": ends, "time_zone": zone}


def _read_signer(text: str) -> dict[str, str]:
    """Read NAME=FILE. Raises BadParameter and RequestInvalid."""
    name, found, file = text.partition("=")
    if not found:
        raise typer.BadParameter(f"{text!r} is no signer. Write release=public.pem.")
    return {"name": name, "public_key": read_key(Path(file)).decode("utf-8", "replace")}
