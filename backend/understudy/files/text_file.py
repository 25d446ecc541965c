"""Reads small text files that people wrote: spec files and lists of labels."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import SpecInvalid
from understudy.files.regular_file import open_regular

MAX_BYTES = 4 << 20

_SAVE_AS_UTF8 = "Save the file as UTF-8, then try again."
# The mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PART_OF_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_NOT_ASCII_RUN = re.compile(r"[^\x00-\x7f]{3}")
# The euro sign, quotation marks, dashes and the like.
_WINDOWS_1252_SIGNS = frozenset(b"\x80\x85\x91\x92\x93\x94\x96\x97\x99\xa0\xa7\xa9\xab\xae\xb0\xbb".decode("cp1252"))


@dataclass(frozen=True)
class TextFile:
    """The text of a file. `note` says that its encoding was guessed, and is None where it was not."""

    text: str
    note: str | None = None


def read_text_file(path: Path, name: str) -> TextFile:
    """Read a text file of at most 4 MiB, which messages call `name`; raises SpecInvalid."""
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecInvalid(f"{name} cannot be read: {reason}.", remedy="Check the path and its permissions.") from error
    if len(content) > MAX_BYTES:
        raise SpecInvalid(f"{name} has more than {MAX_BYTES} bytes.", remedy="Give a smaller file.")
    return decode_text(content, name)


def decode_text(content: bytes, name: str) -> TextFile:
    """Decode UTF-8, UTF-16 and UTF-32 with a byte order mark, and Windows-1252.

    Other encodings of one byte for each letter can look like Windows-1252. Therefore the note says that it was
    guessed, and text that no Western European language has is refused. Raises SpecInvalid, which calls the file `name`.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return TextFile(_decode(content.removeprefix(mark), encoding, name))
    try:
        return TextFile(_refuse_nul(content.decode(), name))
    except UnicodeDecodeError:
        return TextFile(_decode_windows_1252(content, name), f"{name} is not UTF-8 and was read as Windows-1252.")


def _decode(content: bytes, encoding: str, name: str) -> str:
    try:
        return _refuse_nul(content.decode(encoding), name)
    except UnicodeDecodeError as error:
        raise SpecInvalid(f"{name} is not valid {encoding.upper()} text.", remedy=_SAVE_AS_UTF8) from error


def _refuse_nul(text: str, name: str) -> str:
    if "\0" in text:
        raise SpecInvalid(f"{name} contains a NUL character, so it is not a text file.", remedy=_SAVE_AS_UTF8)
    return text


def _decode_windows_1252(content: bytes, name: str) -> str:
    refusal = SpecInvalid(f"{name} is neither UTF-8 nor UTF-16 nor Windows-1252 text.", remedy=_SAVE_AS_UTF8)
    try:
        text = _refuse_nul(content.decode("cp1252"), name)
    except UnicodeDecodeError as error:
        raise refusal from error
    strange = any(not (sign.isascii() or sign.isalpha() or sign in _WINDOWS_1252_SIGNS) for sign in text)
    if strange or _PART_OF_UTF8.search(content) or _NOT_ASCII_RUN.search(text):
        raise refusal
    return text
