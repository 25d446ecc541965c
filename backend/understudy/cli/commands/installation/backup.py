"""Commands that save a home to one archive and restore it."""

from pathlib import Path
from typing import Annotated

import typer

from understudy import __version__
from understudy.cli.framework.command import command
from understudy.cli.framework.session import Session, require_database
from understudy.errors import BackupInvalid

group = typer.Typer()

_Archive = Annotated[Path, typer.Argument(metavar="FILE", show_default=False, help="The archive.")]


@command(group, "backup", example="understudy backup understudy.tar")
async def backup(
    session: Session,
    file: _Archive,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Save compiled models too; else they are compiled again when needed.")
    ] = False,
) -> None:
    """Save models, history, specs, examples and model files to one archive, while servers run.

    The archive holds the team's models: keep it as safe as them. Only its owner may read the file.
    """
    settings = session.load_quiet_settings()
    from understudy.cli.views.installation.backup import format_report
    from understudy.registry.backup.backup import back_up
    from understudy.registry.database.database import Database

    require_database(settings)
    async with Database(settings, read_only=True) as database:
        await database.require_tables()
        report = await back_up(settings, database, file, compiled=compiled, version=__version__)
    session.output.print_answer(report.model_dump(mode="json"), format_report(report, "Saved to"))


@command(group, "restore", example="understudy restore understudy.tar --home new")
async def restore(session: Session, file: _Archive) -> None:
    """Restore a backup into an empty home, on SQLite or PostgreSQL. Every digest is compared first.

    Nothing is overwritten. Where the command was interrupted, run it again.
    """
    settings = session.load_quiet_settings()
    from understudy.cli.views.installation.backup import format_report
    from understudy.registry.backup.restore import restore as use_case
    from understudy.registry.database.database import Database

    if not file.is_file():
        raise BackupInvalid(f"There is no file {file}.", remedy="Name the archive that `understudy backup` wrote.")
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    async with Database(settings) as database:
        report = await use_case(settings, database, file)
    session.output.print_answer(report.model_dump(mode="json"), format_report(report, "Restored from"))
