"""Use-case that restores a backup into an empty home."""

from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from understudy.compiler.model_source import compute_digest
from understudy.errors import BackupInvalid, Conflict, FileExists, RowRefused
from understudy.files.disk_errors import translate_disk_errors
from understudy.files.file_ownership import own_folder, remove_left_over_folders
from understudy.migrations.history_seal import seal_present
from understudy.migrations.revision import NEWEST
from understudy.models import HistoryHead
from understudy.registry import schema
from understudy.registry.backup import archive_reader, table_rows
from understudy.registry.database.database import Database
from understudy.registry.database.statement_errors import describe_reason
from understudy.registry.deployment import replicas
from understudy.registry.files.paths import is_normal
from understudy.schemas.registry.backup import BackupReport, Manifest
from understudy.settings import Settings

_STAGING_PREFIX = ".restore-"
_OWN_FOLDERS = ("var/examples/", "var/compiled/", "var/backbones/")


async def restore(settings: Settings, database: Database, archive: Path) -> BackupReport:
    """Restore rows and files, after every digest of the archive was compared.

    The tables must be empty, and nothing is overwritten: a file that is there already must be the same. The rows come
    last, in one transaction, so that a restoration that was interrupted can be run again. Blocks the event loop: it is
    for the command line.

    Raises BackupInvalid, Misconfigured for a backup of a later version, Conflict where the tables hold rows or a server
    runs on them, FileExists, RowRefused, StorageUnavailable, FileNotFoundError, and what `schema.migrate` raises.
    """
    await schema.migrate(database)
    await _refuse_unless_empty(database)
    remove_left_over_folders(settings.var_dir, f"{_STAGING_PREFIX}*")
    staging = settings.var_dir / f"{_STAGING_PREFIX}{uuid4().hex}"
    with translate_disk_errors(staging), own_folder(staging):
        staging.mkdir()
        manifest = archive_reader.extract(archive, staging)
        _place_files(settings.home, staging, manifest)
        tables, warnings = await _insert_rows(database, staging, manifest)
    return BackupReport(
        archive=str(archive),
        tables=tables,
        files=len(manifest.files),
        bytes=sum(each.bytes for each in manifest.files),
        warnings=tuple(warnings),
    )


async def _refuse_unless_empty(database: Database) -> None:
    async with database.read() as session:
        await replicas.refuse_running(session)
        filled = await (await session.connection()).run_sync(_find_filled)
    if filled is not None:
        raise Conflict(
            f"The table {filled} holds rows, and a backup is restored into an empty home only.",
            remedy="Restore into another folder or database: understudy restore FILE --home FOLDER",
        )


def _find_filled(connection: Connection) -> str | None:
    tables = table_rows.list_tables(connection)
    return next((table.name for table in tables if table_rows.count_rows(connection, table)), None)


def _place_files(home: Path, staging: Path, manifest: Manifest) -> None:
    """Move the files to their places. Raises FileExists before the first move where another file is in the way."""
    moves: list[tuple[Path, Path]] = []
    root = home.resolve()
    for saved in manifest.files:
        place = home / _check_path(saved.path)
        if not place.parent.resolve().is_relative_to(root):
            raise FileExists(f"The folder of {place} is a link that leads out of the home folder.")
        if not place.exists():
            moves.append((archive_reader.locate(staging, saved.path), place))
        elif not place.is_file() or compute_digest(place) != saved.sha256:
            raise FileExists(
                f"{place} is there already, and it is another file than the one in the backup.",
                remedy="Restore into an empty folder (--home FOLDER), or move that file away.",
            )
    for source, place in moves:
        _place_file(source, place)


def _place_file(source: Path, place: Path) -> None:
    with translate_disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        source.rename(place)


def _check_path(path: str) -> str:
    """Raises BackupInvalid for a path that leads out of the home folder or to data of a server."""
    if not is_normal(path) or (path.casefold().startswith("var/") and not path.startswith(_OWN_FOLDERS)):
        raise BackupInvalid(f"The backup holds a file {path!r}, which does not belong into one.")
    return path


async def _insert_rows(database: Database, staging: Path, manifest: Manifest) -> tuple[dict[str, int], list[str]]:
    async with database.write(seconds=database.long_seconds) as session:
        connection = await session.connection()
        try:
            return await connection.run_sync(_insert_tables, staging, manifest)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            raise RowRefused(
                f"The database refuses rows of the backup: {describe_reason(error)}. No row was restored.",
                remedy="Restore into a database whose tables Understudy has made.",
            ) from error


def _insert_tables(connection: Connection, staging: Path, manifest: Manifest) -> tuple[dict[str, int], list[str]]:
    """Insert all rows; return their numbers by table, and sentences about what could not be restored."""
    if (filled := _find_filled(connection)) is not None:
        raise Conflict(f"The table {filled} holds rows since the restoration began.")
    present = {table.name: table for table in table_rows.list_tables(connection)}
    tables, warnings = {}, []
    saved = {each.name: each for each in manifest.tables}
    if unknown := sorted(saved.keys() - present.keys()):
        raise BackupInvalid(f"The backup holds the table {unknown[0]}, which this version does not know.")
    for name, table in present.items():
        if name not in saved:
            warnings.append(f"The backup of revision {manifest.revision} has no {name}: this version is at {NEWEST}.")
            continue
        missing = table_rows.write_rows(connection, table, archive_reader.read_lines(staging, name))
        tables[name] = saved[name].rows
        warnings += [f"{name} has no column {column} here: its values are not restored." for column in sorted(missing)]
    if HistoryHead.__tablename__ not in saved:
        seal_present(connection, f"The restoration of a backup of revision {manifest.revision}")
    return tables, warnings
