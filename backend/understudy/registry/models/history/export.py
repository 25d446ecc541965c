"""Writes the history to a file that a third person can verify without Understudy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from understudy.errors import FileExists
from understudy.files.disk_errors import translate_disk_errors
from understudy.history_chain import build_facts
from understudy.registry.database.database import Database
from understudy.registry.models.history.chain_audit import ChainReport, Entry, audit


async def export_history(database: Database, file: Path) -> ChainReport:
    """Write each entry as a line of JSON and the end of the chain as the last one; return what the chain says.

    Blocks the event loop: it is for the command line. Raises FileExists, StorageUnavailable and DatabaseUnavailable;
    after an error there is no file.
    """
    with translate_disk_errors(file):
        try:
            lines = file.open("x", encoding="ascii", newline="\n")
        except FileExistsError:
            raise FileExists(f"{file} is there already.", remedy="Name another file, or move that one away.") from None
        with lines, _remove_unfinished(file):
            async with database.read(seconds=database.long_seconds) as session:
                report = await audit(session, lambda entry: _write(lines, entry))
            lines.write(json.dumps({"entries": report.entries, "head": report.head}) + "\n")
    return report


@contextmanager
def _remove_unfinished(file: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _write(lines: IO[str], entry: Entry) -> None:
    lines.write(json.dumps({"entry": build_facts(entry), "hash": entry["entry_hash"]}, default=str) + "\n")
