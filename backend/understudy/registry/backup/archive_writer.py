"""Writes a backup's archive: a tar file that appears under its name when it is complete."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import BinaryIO, Self, cast

from understudy.errors import FileExists
from understudy.files.disk_errors import translate_disk_errors
from understudy.migrations.revision import NEWEST
from understudy.schemas.registry.backup import FORMAT, Manifest, SavedFile, SavedTable

MANIFEST = "manifest.json"
TABLES, FILES = "tables/", "files/"
_SPOOL_BYTES = 8 << 20


class ArchiveWriter:
    """A context manager. The file is written beside its name, and gets it by `finish`; else it is deleted.

    Only its owner may read it: it holds the table of the team's models and their files. The methods raise
    StorageUnavailable when the disk is full or refuses.
    """

    def __init__(self, path: Path) -> None:
        """Raises FileExists where `path` is taken, and StorageUnavailable."""
        if path.exists():
            raise FileExists(f"There is a file {path} already.", remedy="Choose another name, or move that file away.")
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._tables: list[SavedTable] = []
        self._files: list[SavedFile] = []
        with translate_disk_errors(self._part):
            self._part.unlink(missing_ok=True)  # left by a backup that was killed
            self._file = os.fdopen(os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    @property
    def saved_files(self) -> tuple[SavedFile, ...]:
        return tuple(self._files)

    def add_table(self, name: str, rows: Iterable[dict[str, object]]) -> int:
        """Write the rows of a table, one JSON document a line; return their number."""
        count = 0
        with SpooledTemporaryFile(_SPOOL_BYTES) as spool, translate_disk_errors(self._part):
            for count, row in enumerate(rows, 1):  # noqa: B007
                spool.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            size = spool.tell()
            spool.seek(0)
            digest = self._add(f"{TABLES}{name}.jsonl", cast("BinaryIO", spool), size)
        self._tables.append(SavedTable(name=name, rows=count, sha256=digest))
        return count

    def add_file(self, path: str, file: BinaryIO, size: int) -> SavedFile:
        """Write `size` bytes of an open file under `path`, POSIX and relative to the home folder.

        Raises EOFError when the file has become shorter.
        """
        with translate_disk_errors(self._part):
            digest = self._add(f"{FILES}{path}", file, size)
        saved = SavedFile(path=path, bytes=size, sha256=digest)
        self._files.append(saved)
        return saved

    def finish(self, database: str, version: str) -> Manifest:
        """Write the manifest, wait for the disk, and give the file its name."""
        manifest = Manifest.model_validate(
            {
                "format": FORMAT,
                "understudy": version,
                "revision": NEWEST,
                "database": database,
                "saved_at": datetime.now(UTC),
                "tables": self._tables,
                "files": self._files,
            }
        )
        content = manifest.model_dump_json(indent=1).encode()
        with translate_disk_errors(self._part):
            self._add(MANIFEST, io.BytesIO(content), len(content))
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._part.rename(self._path)
        return manifest

    def _add(self, name: str, file: BinaryIO, size: int) -> str:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
        hashing = _HashingReader(file)
        try:
            self._tar.addfile(entry, cast("BinaryIO", hashing))
        except OSError as error:
            if hashing.count < size and error.errno is None:  # tarfile's own: unexpected end of data
                raise EOFError(name) from error
            raise
        return hashing.digest.hexdigest()


class _HashingReader:
    """Hashes what is read from a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        self.count += len(block)
        return block
