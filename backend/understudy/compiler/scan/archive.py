"""Checks a zip archive by its directory before anything is unpacked."""

import lzma
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from understudy.errors import CompileFailed, ModelUnsafe

ENCRYPTED = 1  # the bit of an entry's flags
# Everything that zipfile raises for a damaged archive, and json for the damaged content of one. RuntimeError stands for
# a password that is missing; RecursionError, which is one, for JSON that is nested too deeply.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    KeyError,
    OSError,
    RuntimeError,
)

MAX_ENTRIES = 10_000
MAX_RATIO = 200  # trained float32 weights compress by 1.1; zeros by 1000
_RATIO_FLOOR = 16 << 20  # bytes; smaller entries may have any ratio


def _make_refusal(detail: str) -> ModelUnsafe:
    return ModelUnsafe(detail, remedy="Save the model again with Keras; archives it writes have none of this.")


def build_damaged(error: Exception) -> CompileFailed:
    """Return the error for an archive that cannot be read."""
    return CompileFailed(
        f"The archive cannot be read: {str(error)[:300]}.",
        remedy="It is truncated or damaged: copy it again from where it was saved.",
    )


def scan(path: Path, max_bytes: int) -> None:
    """Raise ModelUnsafe for an archive that would unpack outside its folder or to more than `max_bytes`.

    Refused are also encrypted entries, repeated names, more than MAX_ENTRIES entries, and entries that unpack to more
    than MAX_RATIO times their size. Raises CompileFailed for a damaged archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except ZIP_ERRORS as error:
        raise build_damaged(error) from error
    if len(entries) > MAX_ENTRIES:
        raise _make_refusal(f"The archive has {len(entries)} entries; {MAX_ENTRIES} are allowed.")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise _make_refusal("The archive holds two entries of one name.")
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in entry.filename or "\0" in entry.filename:
            raise _make_refusal(f"The archive's entry {entry.filename!r} points outside the archive.")
        if entry.flag_bits & ENCRYPTED:
            raise _make_refusal(f"The archive's entry {entry.filename!r} is encrypted.")
        if entry.file_size > _RATIO_FLOOR and entry.file_size > MAX_RATIO * max(1, entry.compress_size):
            raise _make_refusal(
                f"The archive's entry {entry.filename!r} unpacks {entry.compress_size} bytes to {entry.file_size}: "
                f"more than {MAX_RATIO} times its size."
            )
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes:
        raise _make_refusal(f"The archive unpacks to {total} bytes; max_model_bytes allows {max_bytes}.")
