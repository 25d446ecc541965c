"""Notices that the file of an SQLite database is not the one that was opened, or that its log belongs to another."""

import os
import struct
import threading
import time
from pathlib import Path

from understudy.errors import DatabaseReplaced

# https://www.sqlite.org/fileformat2.html#the_write_ahead_log
_LOG_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_LOG_MAGIC = {0x377F0682, 0x377F0683}
# A checkpoint writes the database right after the log: later changes of the file are not SQLite's.
_CHECKPOINT_SECONDS = 2.0
_BESIDE = ("-wal", "-shm")
_LOOKS, _LOOK_SECONDS = 5, 0.2


class FileIdentity:
    """Knows which files the connections of an engine opened, by device and inode: the database, its log, its index.

    A process keeps a file that it opened, also after somebody deleted or replaced it: what it writes then is lost, and
    another process that opens the new one sees another state.
    """

    def __init__(self) -> None:
        self._path: str | None = None
        self._opened: tuple[int, int] | None = None
        self._beside: dict[str, tuple[int, int]] = {}
        self._connections = 0
        self._lock = threading.Lock()

    def remember(self, path: str) -> None:
        """Take the file at `path` as the opened one, unless another is known already."""
        if self._opened is None:
            found = os.stat(path)  # noqa: PTH116
            self._path, self._opened = path, (found.st_dev, found.st_ino)

    def note_open(self) -> None:
        """Note a new connection in WAL mode, and take the log and its index as those that it uses."""
        with self._lock:
            self._connections += 1
            found = {name: file for name in _BESIDE if (file := _identify(f"{self._path}{name}")) is not None}
            self._beside = found | self._beside

    def note_close(self) -> None:
        """Note that a connection is about to be closed: with the last one SQLite may delete log and index."""
        with self._lock:
            self._connections -= 1
            if self._connections == 0:
                self._beside = {}

    def refuse_other(self, *, committed: bool = False) -> None:
        """Raises DatabaseReplaced where another file or none lies at the path of the opened one, its log or its index.

        `committed` says that a change was just committed, which is in the old file then.
        """
        if self._path is None:
            return
        try:
            found = os.stat(self._path)  # noqa: PTH116
            what = None if (found.st_dev, found.st_ino) == self._opened else "was replaced by another file"
        except OSError as error:
            what = f"was deleted or moved ({error.strerror})"
        if what is not None:
            raise DatabaseReplaced(
                f"{self._path} {what} while this process used it. {_describe_loss(committed)}",
                remedy="Put the file back, or stop the server, put the right file in place and start the server again. "
                "Models in memory go on answering until then.",
            )
        for name, opened in self._beside.items():
            # A connection may close on another thread meanwhile, and SQLite deletes the log then.
            if _identify(f"{self._path}{name}") != opened and self._beside.get(name) == opened:
                raise DatabaseReplaced(
                    f"{self._path}{name} was deleted or replaced while this process used it. "
                    f"{_describe_loss(committed)}",
                    remedy="Stop the server by SIGTERM, not by SIGKILL: it then writes what it holds into the "
                    "database. Let no other process use the database before. Then start it again. Models in memory go "
                    "on answering until then.",
                )


def _describe_loss(committed: bool) -> str:
    return "This change went into the old file and is lost with it." if committed else "Nothing was read or written."


def _identify(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_emptied(path: Path, compiled: Path) -> None:
    """Raises DatabaseReplaced for an empty file that cannot be a new database: it has a log, or models were compiled.

    SQLite takes an empty file for a new database. A process that is only just making one gets a second for it.
    """
    for _ in range(_LOOKS):
        try:
            size = path.stat().st_size
        except OSError:
            return
        if size > 0:
            return
        time.sleep(_LOOK_SECONDS)
    log = path.with_name(f"{path.name}-wal")
    if _has_content(log) or (compiled.is_dir() and any(compiled.iterdir())):
        raise DatabaseReplaced(
            f"{path} is empty, and this home had models before. Nothing was opened.",
            remedy="Restore the database from a backup (docs/backup.md). To begin with an empty registry, remove "
            f"{path}, {path.name}-wal and {path.name}-shm.",
        )


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def refuse_foreign_log(path: Path) -> None:
    """Raises DatabaseReplaced where the write-ahead log beside a database was written for another file.

    SQLite would replay such a log into the database: a restored backup would be changed back, or damaged. A process
    that was killed leaves a log that is younger than its database, unless it was killed while it wrote the log's pages
    into the database, from the lowest page on. So the log is taken for another file's when the database was put there
    or changed after the log was written last, and the lowest page of the log is not in it.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        database, written = path.stat(), log.stat()
        if written.st_size <= _LOG_HEADER_BYTES or database.st_ctime - written.st_ctime <= _CHECKPOINT_SECONDS:
            return
        foreign = not _holds_first_page(path, log)
    except OSError:  # the connection that opens it says why
        return
    if foreign:
        raise DatabaseReplaced(
            f"{path} was put in place after {log.name} beside it was written, so that log belongs to another file. "
            "Nothing was opened.",
            remedy=f"Where you restored a backup: stop every process that uses it, remove {log.name} and "
            f"{path.name}-shm, and restore the backup again. Where you did not: `touch {log}`, then start again.",
        )


def _holds_first_page(path: Path, log: Path) -> bool:
    """True when the database holds the lowest page of the committed part of the log, or the log holds no page."""
    with path.open("rb") as database, log.open("rb") as frames:
        header = frames.read(_LOG_HEADER_BYTES)
        magic, _version, page_bytes, _sequence, *salt = struct.unpack(">6I", header[:24])
        if magic not in _LOG_MAGIC:
            return True
        pages = _find_last_pages(frames.fileno(), page_bytes, tuple(salt))
        if not pages:
            return True
        lowest = min(pages)
        frames.seek(pages[lowest])
        database.seek((lowest - 1) * page_bytes)
        return frames.read(page_bytes) == database.read(page_bytes)


def _find_last_pages(log: int, page_bytes: int, salt: tuple[int, ...]) -> dict[int, int]:
    """Return for each page the place in the log of its last committed content, in bytes."""
    committed: dict[int, int] = {}
    pending: dict[int, int] = {}
    at = _LOG_HEADER_BYTES
    while len(head := os.pread(log, _FRAME_HEADER_BYTES, at)) == _FRAME_HEADER_BYTES:
        number, pages_after_commit, *frame_salt = struct.unpack(">4I", head[:16])
        if tuple(frame_salt) != salt:
            break
        pending[number] = at + _FRAME_HEADER_BYTES
        if pages_after_commit:
            committed |= pending
            pending = {}
        at += _FRAME_HEADER_BYTES + page_bytes
    return committed
