"""Commands for the database: migrate it, copy a foreign table into the registry, take Understudy out of it."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.exit_codes import INTERRUPTED
from understudy.cli.framework.session import Session, require_database
from understudy.cli.views.cells import to_text
from understudy.errors import RequestInvalid

if TYPE_CHECKING:
    from understudy.migrations.removal import Removal

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


@command(
    group,
    "import-table",
    example="understudy import-table --from models --map model_id=id,model_name=name,file_path=storage_path",
)
async def import_table(
    session: Session,
    table: Annotated[
        str, typer.Option("--from", metavar="TABLE", help="The foreign table or view; of another schema: SCHEMA.TABLE.")
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="TARGET=COLUMN,...",
            show_default=False,
            help="Column of ml_models = column of the table; may be repeated. Columns of the same name are mapped by"
            " themselves; TARGET= leaves one out.",
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write. Without it, nothing is written.")] = False,
    skip_unfit: Annotated[
        bool, typer.Option("--skip-unfit", help="With --apply: import the rows that fit and leave the others.")
    ] = False,
) -> None:
    """Copy the models of a foreign table into ml_models. The table itself is not changed.

    Without --apply the command shows what would be copied, renamed and left. Rows that were imported before are not
    copied again. No model becomes active.
    """
    if skip_unfit and not apply:
        raise typer.BadParameter("--skip-unfit belongs to --apply; without --apply every row is shown.")
    settings = session.load_quiet_settings()
    from understudy.cli.views.installation.import_plan import format_plan
    from understudy.registry.database.database import Database
    from understudy.registry.table_import.table_import import TableImport

    require_database(settings)
    async with Database(settings, read_only=not apply) as database:
        use_case = TableImport(settings, database, table, columns or ())
        plan = await (use_case.apply(session.actor, skip_unfit=skip_unfit) if apply else use_case.plan())
    session.output.print_answer(plan.to_document(), format_plan(plan))


@command(group, "uninstall", example="understudy uninstall --keep-ml-models --dry-run")
async def uninstall(
    session: Session,
    keep_ml_models: Annotated[
        bool, typer.Option("--keep-ml-models", help="Keep ml_models with its rows, columns and indexes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what goes and what stays; remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove Understudy's tables, triggers and functions from the database. Files in models/ and var/ stay.

    Without --keep-ml-models the models go too; that is refused unless Understudy itself made ml_models.
    """
    settings = session.load_quiet_settings()
    from understudy.cli.views.installation.removal import format_removal
    from understudy.registry import uninstall as use_case
    from understudy.registry.database.database import Database

    require_database(settings)
    async with Database(settings, read_only=dry_run) as database:
        plan = await use_case.plan(database, keep_ml_models=keep_ml_models)
        if not dry_run and not plan.is_empty:
            _confirm(session, plan, yes=yes)
            plan = await use_case.uninstall(database, keep_ml_models=keep_ml_models)
    document = {"removed": not dry_run, **plan.to_document()}
    session.output.print_answer(document, format_removal(plan, removed=not dry_run))


def _confirm(session: Session, plan: "Removal", *, yes: bool) -> None:
    """Show the plan and ask; raises RequestInvalid where nobody can answer."""
    if yes:
        return
    if session.output.as_json or not sys.stdin.isatty():
        raise RequestInvalid(
            "The removal was not confirmed, so nothing was removed.",
            remedy="Look at the plan with --dry-run, then add --yes.",
        )
    from understudy.cli.views.installation.removal import format_removal

    session.output.print_text(format_removal(plan, removed=False))
    if typer.prompt("Remove it? Type yes", default="no", show_default=False).strip().lower() != "yes":
        session.output.print_note("Nothing was removed.")
        raise typer.Exit(INTERRUPTED)
