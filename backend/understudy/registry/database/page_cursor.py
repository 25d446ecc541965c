"""Cursors of paged lists: opaque text that marks the row after which the next page begins."""

import base64
import binascii
import json
from datetime import datetime

from understudy.errors import RequestInvalid
from understudy.registry.database.column_values import has_nul

Key = str | float | int | datetime | None


def encode(sort: str, key: Key, row_id: int) -> str:
    """Return the cursor for a page that begins after the row with this sort key and id, in the order `sort`."""
    value = {"time": key.isoformat()} if isinstance(key, datetime) else key
    return base64.urlsafe_b64encode(json.dumps([sort, value, row_id], ensure_ascii=False).encode()).decode().rstrip("=")


def decode(cursor: str, sort: str, *, largest_id: int) -> tuple[Key, int]:
    """Return the sort key and the id of the row before the page.

    Raises RequestInvalid when `encode` did not make the cursor for the order `sort`.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        written_for, value, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        key = datetime.fromisoformat(value["time"]) if isinstance(value, dict) else value
        if isinstance(key, str):
            key.encode()
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError) as error:
        raise build_refusal() from error
    if not isinstance(key, str | float | int | datetime | None) or has_nul(key):
        raise build_refusal()
    if written_for != sort or type(row_id) is not int or not 0 <= row_id <= largest_id:
        raise build_refusal()
    return key, row_id


def build_refusal() -> RequestInvalid:
    """Return the error for a cursor of another list or another order."""
    return RequestInvalid(
        "The cursor does not belong to this list in this order.",
        remedy="Request the first page without a cursor, then use the next_cursor of each answer.",
    )
