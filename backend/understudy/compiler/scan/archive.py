"""Checks a zip archive by its directory before anything is unpacked."""

import zipfile
from pathlib import Path, PurePosixPath

from understudy.errors import ModelUnsafe

MAX_ENTRIES = 10_000
MAX_RATIO = 200  # trained float32 weights compress by 1.1; zeros by 1000
_RATIO_FLOOR = 16 << 20  # bytes; smaller entries may have any ratio


def _make_refusal(detail: str) -> ModelUnsafe:
    return ModelUnsafe(detail, remedy="Save the model again with Keras; archives it writes have none of this.")


def scan(path: Path, max_bytes: int) -> None:
    """Raise ModelUnsafe for an archive that would unpack outside its folder or to more than `max_bytes`.

    Refused are also encrypted entries, repeated names, more than MAX_ENTRIES entries, and entries that unpack to more
    than MAX_RATIO times their size.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _make_refusal(f"The archive has {len(entries)} entries; {MAX_ENTRIES} are allowed.")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise _make_refusal("The archive holds two entries of one name.")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in entry.filename or "\0" in entry.filename:
            raise _make_refusal(f"The archive's entry {entry.filename!r} points outside the archive.")
        if entry.flag_bits & 1:
            raise _make_refusal(f"The archive's entry {entry.filename!r} is encrypted.")
        if entry.file_size > _RATIO_FLOOR and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
            raise _make_refusal(
                f"The archive's entry {entry.filename!r} unpacks {entry.compress_size} bytes to {entry.file_size}: "
                f"more than {MAX_RATIO} times its size."
            )
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes:
        raise _make_refusal(f"The archive unpacks to {total} bytes; max_model_bytes allows {max_bytes}.")
