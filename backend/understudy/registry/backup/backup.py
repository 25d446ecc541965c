"""Use-case that saves rows and files to one archive, while servers run."""

import os
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import FileChanged
from understudy.files.regular_file import NotRegularFile, open_regular
from understudy.models import FileRecord, MlModel
from understudy.registry.backup import home_files, table_rows
from understudy.registry.backup.archive_writer import ArchiveWriter
from understudy.registry.backup.home_files import HomeFile
from understudy.registry.database.database import Database
from understudy.schemas.registry.backup import BackupReport
from understudy.settings import Settings


async def back_up(
    settings: Settings, database: Database, archive: Path, *, compiled: bool, version: str
) -> BackupReport:
    """Write `archive`: all rows as of one moment, then the files they name; with `compiled`, what was compiled too.

    Models that are registered after that moment are not in it; `version` is that of this program. Blocks the event
    loop: it is for the command line. Raises FileExists, FileChanged where a file becomes shorter while it is read,
    StorageUnavailable, and DatabaseUnavailable.
    """
    with ArchiveWriter(archive) as writer:
        async with database.read(seconds=database.long_seconds) as session:
            if database.kind == "postgresql":
                await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            connection = await session.connection()
            tables = await connection.run_sync(_add_tables, writer)
            model_paths, digests = await _read_paths(session)
        warnings: list[str] = []
        for found in home_files.list_files(settings, model_paths, compiled=compiled):
            if isinstance(found, str):
                warnings.append(found)
            elif (problem := _add_file(writer, found)) is not None:
                warnings.append(problem)
        warnings += [
            f"{saved.path} is not the file that was registered: it is saved as it is now."
            for saved in writer.saved_files
            if digests.get(saved.path, saved.sha256) != saved.sha256
        ]
        if settings.backbone is not None and not settings.backbone.is_relative_to(settings.home):
            warnings.append(f"The backbone {settings.backbone} lies outside the home folder: it is not saved.")
        writer.finish(database.kind, version)
        files = writer.saved_files
    return BackupReport(
        archive=str(archive),
        tables=tables,
        files=len(files),
        bytes=sum(each.bytes for each in files),
        warnings=tuple(warnings),
    )


def _add_tables(connection: Connection, writer: ArchiveWriter) -> dict[str, int]:
    tables = table_rows.list_tables(connection)
    return {table.name: writer.add_table(table.name, table_rows.read_rows(connection, table)) for table in tables}


async def _read_paths(session: AsyncSession) -> tuple[list[str], dict[str, str]]:
    """Return the paths of all rows, and the recorded digests of files by path."""
    model_paths = list(await session.scalars(select(MlModel.file_path)))
    recorded = await session.execute(select(FileRecord.file_path, FileRecord.digest))
    return model_paths, {path: digest for path, digest in recorded}  # noqa: C416  # rows are no pairs for a type checker


def _add_file(writer: ArchiveWriter, found: HomeFile) -> str | None:
    """Save a file; return why it was not saved, or None."""
    try:
        with open_regular(found.place) as file:
            writer.add_file(found.path, file, os.fstat(file.fileno()).st_size)
    except EOFError as error:
        raise FileChanged(
            f"{found.path} became shorter while it was saved.", remedy="Run the command again."
        ) from error
    except FileNotFoundError:
        return f"{found.path} was deleted during the backup: it is not saved."
    except (PermissionError, NotRegularFile) as error:
        return f"{found.path} cannot be read: {error.strerror}."
    return None
