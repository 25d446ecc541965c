"""The database's schema."""

from dataclasses import asdict

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text

group = typer.Typer()


@command(group, "migrate", example="understudy migrate")
async def migrate(session: Session) -> None:
    """Bring the database to the newest schema; an ml_models made by hand is adopted without loss."""
    settings = session.load_quiet_settings()
    from understudy.registry import schema
    from understudy.registry.database.database import Database

    async with Database(settings) as database:
        report = await schema.migrate(database)
    lines = [
        f"The schema is at revision {report.revision}"
        + (f", before {report.revision_before}." if report.changed else ".")
    ]
    if report.adopted:
        lines.append("The ml_models table that was there is adopted; no row was dropped.")
    lines += [f"{finding.outcome}: {finding.detail}" for finding in report.findings]
    session.output.print_answer(asdict(report), *(to_text(line) for line in lines))
