"""Keeps what was fetched from the store under a limit: what was not used for the longest time goes first."""

import os
import shutil
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path


class FileCache:
    """Entries of some folders that one store has too. Their marks say when each was used. All methods block."""

    def __init__(self, marks: Path, limit: int) -> None:
        """Keep the marks in the folder `marks`; `limit` is the sum of the entries' sizes in bytes.

        Each store needs a folder of its own beside those of the others: what one store has, another may lack.
        """
        self._marks = marks
        self._limit = limit

    def add(self, entry: Path) -> None:
        """Note that the store has this entry, a file or a folder, and that it is used now."""
        self._marks.mkdir(parents=True, exist_ok=True)
        self._locate(entry).write_text(str(entry), encoding="utf-8")

    def note_stored(self, entry: Path) -> None:
        """Note that the store has this entry, if it is on this machine; the time of its last use stays."""
        if entry.exists() and not self.has(entry):
            self.add(entry)

    def has(self, entry: Path) -> bool:
        """Return whether the entry was added, so that the store has it."""
        return self._locate(entry).exists()

    def forget_other_stores(self) -> None:
        """Delete the marks of all other stores: when one of them is used again, it may have changed meanwhile."""
        for other in self._marks.parent.iterdir() if self._marks.parent.is_dir() else []:
            if other == self._marks:
                continue
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
            else:  # of a version that did not tell stores apart
                other.unlink(missing_ok=True)

    def mark_used(self, entry: Path) -> None:
        """Note that an entry is used now, if it was added."""
        with suppress(OSError):
            os.utime(self._locate(entry))

    def _locate(self, entry: Path) -> Path:
        return self._marks / f"{entry.parent.name}-{entry.name}"

    def evict(self, in_use: AbstractSet[str]) -> list[Path]:
        """Delete entries until the others keep the limit, and return those; entries named in `in_use` stay."""
        entries: list[tuple[float, int, Path, Path]] = []
        for mark in self._marks.iterdir() if self._marks.is_dir() else []:
            with suppress(OSError):
                entry = Path(mark.read_text(encoding="utf-8"))
                entries.append((mark.stat().st_mtime, _measure(entry), entry, mark))
        total = sum(size for _, size, _, _ in entries)
        gone = []
        for _, size, entry, mark in sorted(entries):
            if total <= self._limit:
                break
            if entry.name in in_use:
                continue
            _remove(entry)
            mark.unlink(missing_ok=True)
            total -= size
            gone.append(entry)
        return gone


def _measure(path: Path) -> int:
    return sum(each.stat().st_size for each in (path, *path.rglob("*")) if each.is_file())


def _remove(path: Path) -> None:
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    hidden = path.with_name(f".new-{path.name}")  # nobody finds half of it
    path.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)
