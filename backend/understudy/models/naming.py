"""The rule for the names and versions of models: what it allows works on every route and in every client."""

import unicodedata
from dataclasses import dataclass

from understudy.errors import NameRefused

_CATEGORIES = {
    "Cc": "a control character",
    "Cs": "half of a surrogate pair",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
_TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u2060\ufeff")
_OF_ADDRESSES = "Choose another name: /v2 has names and versions in its addresses, such as /v2/models/NAME/versions/V."


@dataclass(frozen=True)
class NameFault:
    """A rule that a text breaks, as the end of a sentence, and what to do."""

    rule: str
    remedy: str


def find_fault(text: str) -> NameFault | None:
    """Return the first rule that a name or version breaks, or None.

    A slash is allowed within. Clients and proxies change an address with an empty part, `.` or `..`; the parts
    `versions` and `ready` have a meaning of their own in the addresses of /v2.
    """
    if not text:
        return NameFault("is empty", "Give one.")
    for character in text:
        if (what := _describe_forbidden(character)) is not None:
            return NameFault(f"contains {what} (U+{ord(character):04X})", "Remove that character.")
    if text != text.strip():
        return NameFault("begins or ends with a space", "Remove the space.")
    parts = text.split("/")
    if "" in parts:
        return NameFault("begins or ends with a slash, or has two in a row", "Remove the slash.")
    if "." in parts or ".." in parts:
        return NameFault("has the part '.' or '..'", "Choose a name without that part.")
    if len(parts) > 1 and "versions" in parts:
        return NameFault("has the part 'versions' beside a slash", _OF_ADDRESSES)
    if len(parts) > 1 and parts[-1] == "ready":
        return NameFault("ends with '/ready'", _OF_ADDRESSES)
    return None


def refuse_name(name: str | None) -> None:
    """Raises NameRefused for a name that breaks the rule."""
    _refuse("name", name)


def refuse_version(version: str | None) -> None:
    """Raises NameRefused for a version that breaks the rule. A row without a version has None or an empty text."""
    _refuse("version", version)


def _refuse(what: str, text: str | None) -> None:
    if text and (fault := find_fault(text)) is not None:
        raise NameRefused(f"The {what} {text!r} {fault.rule}.", remedy=fault.remedy)


def _describe_forbidden(character: str) -> str | None:
    if character in _TURNS_TEXT:
        return "a character that changes the direction of the text"
    if character in _INVISIBLE:
        return "an invisible character"
    return _CATEGORIES.get(unicodedata.category(character))
