"""The command that migrates the database."""

from dataclasses import asdict

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text

group = typer.Typer()


@command(group, "migrate", example="understudy migrate")
async def migrate(session: Session) -> None:
    """Bring the database to the newest schema. An ml_models table that was made by hand is kept, with all rows."""
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
        lines.append("The existing ml_models table is in use now; no row was dropped.")
    lines += [f"{finding.outcome}: {finding.detail}" for finding in report.findings]
    session.output.print_answer(asdict(report), *(to_text(line) for line in lines))
