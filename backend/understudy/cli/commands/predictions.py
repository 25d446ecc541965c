"""The command that shows the log of predictions."""

from datetime import datetime
from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.options import Cursor, parse_time
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.cli.views.predictions import format_predictions

group = typer.Typer()


@command(group, "predictions", example="understudy predictions --since 2026-11-28 --label siren", remote=True)
async def predictions(
    session: Session,
    since: Annotated[
        datetime | None,
        typer.Option("--since", parser=parse_time, metavar="TIME", show_default=False, help="From this local time on."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", parser=parse_time, metavar="TIME", show_default=False, help="Up to this local time."),
    ] = None,
    model_id: Annotated[int | None, typer.Option("--model", show_default=False, help="Only by this model.")] = None,
    label: Annotated[str | None, typer.Option("--label", show_default=False, help="Only with this label.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Entries on one page.")] = 30,
    cursor: Cursor = None,
) -> None:
    """Show the log of predictions, latest first; servers write it where UNDERSTUDY_PREDICTION_LOG_DAYS says so."""
    async with session.open_backend(read_only=True) as backend:
        page = await backend.list_predictions(
            since=since, until=until, model_id=model_id, label=label, limit=limit, cursor=cursor
        )
    next_page = [to_text(f"next page: --cursor {page.next_cursor}", "dim")] if page.next_cursor else []
    session.output.print_answer(page, format_predictions(page), *next_page)
