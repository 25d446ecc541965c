"""Seals the entries of the history in a chain of hashes, so that a changed, removed or inserted one is found.

The hash of an entry is the SHA-256 of the canonical JSON of the hash before it and of the entry's facts.
docs/history.md states the format for third persons; it never changes for entries that exist.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

# The hash before the first entry.
GENESIS = "0" * 64

_PLAIN_FACTS = (
    "position",
    "event",
    "model_id",
    "model_name",
    "version",
    "digest",
    "generation",
    "form",
    "actor",
    "principal_id",
    "principal_name",
    "principal_kind",
    "code",
    "detail",
    "remedy",
)


def build_facts(entry: Mapping[str, Any]) -> dict[str, object]:
    """Return the facts that the hash covers: `entry` has the columns of `understudy_history`, its time in UTC."""
    at: datetime | None = entry["at"]
    return {
        **{name: entry[name] for name in _PLAIN_FACTS},
        "at": None if at is None else at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "before": parse_state(entry["before_json"]),
        "after": parse_state(entry["after_json"]),
    }


def compute_hash(previous: str, facts: Mapping[str, object]) -> str:
    """Return the hash of an entry, as 64 hexadecimal digits; `previous` is the hash of the entry before it."""
    return hashlib.sha256(_to_canonical([previous, facts]).encode()).hexdigest()


def format_state(state: Mapping[str, object] | None) -> str | None:
    """Return what was before or after a change, as the text that the database holds."""
    return None if state is None else _to_canonical({name: _to_plain(value) for name, value in state.items()})


def parse_state(text: str | None) -> object:
    """Return what was before or after a change; a text that is not JSON stays as it is."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _to_canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def _to_plain(value: object) -> object:
    """JSON has no infinity and no NaN; a column of a table that was made by hand may hold them."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
