"""Opaque marks of a place in a sorted list."""

import base64
import binascii
import json
from datetime import datetime

from understudy.errors import RequestInvalid
from understudy.registry.database.column_values import has_nul

Key = str | float | int | datetime | None


def encode(sort: str, key: Key, row_id: int) -> str:
    value = {"time": key.isoformat()} if isinstance(key, datetime) else key
    return base64.urlsafe_b64encode(json.dumps([sort, value, row_id], ensure_ascii=False).encode()).decode().rstrip("=")


def decode(cursor: str, sort: str, *, largest_id: int) -> tuple[Key, int]:
    """The sort key's value and the id of the row before the page; raises RequestInvalid."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        written_for, value, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        key = datetime.fromisoformat(value["time"]) if isinstance(value, dict) else value
        if isinstance(key, str):
            key.encode()
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError) as error:
        raise foreign() from error
    if not isinstance(key, str | float | int | datetime | None) or has_nul(key):
        raise foreign()
    if written_for != sort or type(row_id) is not int or not 0 <= row_id <= largest_id:
        raise foreign()
    return key, row_id


def foreign() -> RequestInvalid:
    return RequestInvalid(
        "The cursor was not given out for this list in this order.", remedy="Start again without a cursor."
    )
