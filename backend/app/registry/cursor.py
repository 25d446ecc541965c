"""Opaque marks of a place in a sorted list."""

import base64
import binascii
import json
from datetime import datetime

from app.errors import RequestInvalid

Key = str | float | int | datetime | None


def encode(sort: str, key: Key, model_id: int) -> str:
    value = {"time": key.isoformat()} if isinstance(key, datetime) else key
    return (
        base64.urlsafe_b64encode(json.dumps([sort, value, model_id], ensure_ascii=False).encode()).decode().rstrip("=")
    )


def decode(cursor: str, sort: str) -> tuple[Key, int]:
    """The sort key's value and the id of the row before the page; raises RequestInvalid."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        written_for, value, model_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        key = datetime.fromisoformat(value["time"]) if isinstance(value, dict) else value
    except (binascii.Error, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise RequestInvalid(
            "The cursor is not one that this API gave out.", remedy="Start again without a cursor."
        ) from error
    if written_for != sort or not isinstance(model_id, int) or not isinstance(key, str | float | int | datetime | None):
        raise RequestInvalid(
            f"The cursor belongs to another list than the one sorted by {sort}.", remedy="Start again without a cursor."
        )
    return key, model_id
