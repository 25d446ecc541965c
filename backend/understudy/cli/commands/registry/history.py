"""Commands on the history: show it, and export it for somebody who checks it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from understudy.cli.framework.command import command
from understudy.cli.framework.exit_codes import INTERNAL
from understudy.cli.framework.options import Cursor, SomeModelId, parse_time
from understudy.cli.framework.session import Session, require_database
from understudy.cli.views.cells import to_text
from understudy.cli.views.registry import history as history_view

_SHOW = "show"


class _ShowByDefault(TyperGroup):
    """Shows the history where the first word is no command: `history 2` is `history show 2`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own class
        if not args or (args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx)):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)


group = typer.Typer(
    cls=_ShowByDefault,
    help="The history: show it (also without `show`), or export it for somebody who checks it.",
)


@command(group, _SHOW, example="understudy history show --event refused", remote=True)
async def show(
    session: Session,
    model_id: SomeModelId = None,
    event: Annotated[
        str | None,
        typer.Option("--event", show_default=False, help="Only this event, such as activated or refused."),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at",
            parser=parse_time,
            metavar="TIME",
            show_default=False,
            help="The model that was live at this time, and the history until then. Local time unless it names a zone.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Entries on one page.")] = 30,
    cursor: Cursor = None,
) -> None:
    """Show registrations, activations and refusals, latest first, with who asked for them.

    `understudy history` alone does the same.
    """
    async with session.open_backend(read_only=True) as backend:
        page = await backend.list_history(model_id=model_id, event=event, at=at, limit=limit, cursor=cursor)
    live = [] if page.live_at is None else [history_view.format_live_at(page.live_at)]
    next_page = [to_text(f"next page: --cursor {page.next_cursor}", "dim")] if page.next_cursor else []
    session.output.print_answer(page, *live, history_view.format_history(page), *next_page)


@command(group, "export", example="understudy history export history.jsonl")
async def export(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="The new file, of JSON lines.")],
) -> None:
    """Write the whole history to a file that anybody can verify: docs/history.md has a script of ten lines.

    Keep the hash that this prints where administrators of the database cannot change it: with it, a later export shows
    whether entries up to now were changed or removed. The exit code is 1 where the history was changed already.
    """
    settings = session.load_quiet_settings()
    from understudy.registry.database.database import Database
    from understudy.registry.models.history.export import export_history

    require_database(settings)
    async with Database(settings, read_only=True) as database:
        await database.require_tables()
        report = await export_history(database, file)
    answer = {"file": str(file), "entries": report.entries, "head": report.head, "fault": report.fault}
    session.output.print_answer(answer, history_view.format_export(file, report))
    if report.fault is not None:
        raise typer.Exit(INTERNAL)


@command(group, "accept", example='understudy history accept --reason "restored by hand after the disk failed"')
async def accept(
    session: Session,
    reason: Annotated[str, typer.Option("--reason", help="Why the chain is broken; it stands in the history.")],
) -> None:
    """Accept the breaks of the history's chain, so that `doctor` fails for later ones only. They stay visible.

    An entry names each break, who accepted it and why. The exit code of `export` is 0 then; its file still shows the
    breaks to everybody who checks it.
    """
    settings = session.load_quiet_settings()
    from understudy.registry.database.database import Database
    from understudy.registry.models.history.acceptance import accept_breaks

    require_database(settings)
    async with Database(settings) as database:
        await database.require_tables()
        report = await accept_breaks(database, reason, actor=session.actor)
    answer: dict[str, object] = {"accepted": [each.text for each in report.accepted], "head": report.head}
    session.output.print_answer(answer, to_text("\n".join(each.text for each in report.accepted)))
