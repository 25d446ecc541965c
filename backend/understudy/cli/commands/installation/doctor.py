"""The command that finds and repairs faults of an installation."""

from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.exit_codes import INTERNAL
from understudy.cli.framework.session import Session
from understudy.schemas.registry.model import LARGEST_ID

group = typer.Typer()


@command(group, "doctor", example="understudy doctor --fix")
async def doctor(
    session: Session,
    fix: Annotated[
        bool, typer.Option("--fix", help="Repair what can be repaired. Model files and rows are never deleted.")
    ] = False,
    keep_active: Annotated[
        int | None,
        typer.Option(
            "--keep-active",
            metavar="MODEL_ID",
            min=1,
            max=LARGEST_ID,
            show_default=False,
            help="With --fix: of several active models keep this one active, and deactivate the others.",
        ),
    ] = None,
) -> None:
    """Check folders, database, model files, compiled store and servers. Without --fix nothing is changed.

    The exit code is 1 while a finding is open.
    """
    if keep_active is not None and not fix:
        raise typer.BadParameter("--keep-active changes rows: use it together with --fix.")
    settings = session.load_quiet_settings()
    from understudy.cli.views.installation import doctor_report
    from understudy.doctor.doctor import Doctor

    with session.output.show_progress() as progress:
        task = progress.add_task("checking", total=None)
        report = await Doctor(settings).examine(
            fix=fix, keep_active=keep_active, on_step=lambda step: progress.update(task, description=step)
        )
    session.output.print_answer(report.to_document(), doctor_report.format_findings(report))
    if report.left:
        raise typer.Exit(INTERNAL)
