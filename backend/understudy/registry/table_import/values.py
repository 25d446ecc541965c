"""Converts values of a foreign table to those of `ml_models`."""

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from understudy.models.base import to_naive_utc
from understudy.registry.table_import.column_map import ColumnMap
from understudy.registry.table_import.source_table import SourceRow

_PLACES = 4
_TRUE_WORDS = {"true", "t", "yes", "y", "on", "1"}
_LARGEST_INTEGER = 2**31 - 1
_SHOWN = 60


class Unfit(Exception):
    """A value does not fit its column; the message says why."""


def to_text(value: Any) -> str | None:
    """Return a value of any type as text. Objects and arrays become JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes | memoryview):
        raise Unfit("it is binary data, not text")
    return value.isoformat() if isinstance(value, date) else str(value)


def to_accuracy(value: Any) -> float | None:
    """Return the number. Raises Unfit for what is not a number from 0 to 1."""
    if value is None:
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Unfit(f"{shorten(value)} is not a number") from None
    if not number.is_finite():
        raise Unfit(f"{shorten(value)} is not a number from 0 to 1")
    if not 0 <= number <= 1:
        percent = "; it looks like percent" if 1 < number <= 100 else ""
        raise Unfit(f"{shorten(value)} is not from 0 to 1{percent}")
    return float(number)


def to_time(value: Any, zone: tzinfo) -> datetime | None:
    """Return the time in UTC without a zone; a time without a zone is one of `zone`."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise Unfit(f"{shorten(value)} is not a time such as 2026-01-31 12:00:00") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if value is not None and not isinstance(value, datetime):
        raise Unfit(f"{shorten(value)} is not a time")
    try:
        return None if value is None else to_naive_utc(value if value.tzinfo else value.replace(tzinfo=zone))
    except OverflowError:
        raise Unfit(f"{shorten(value)} is not a time of the calendar") from None


def to_integer(value: Any) -> int | None:
    """Return a whole number that the document's INT can hold; raises Unfit for everything else."""
    if value is None:
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not text.lstrip("-").isdecimal() or abs(int(text)) > _LARGEST_INTEGER:
        raise Unfit(f"{shorten(value)} is not a whole number of at most {_LARGEST_INTEGER}")
    return int(text)


def is_true(value: Any) -> bool:
    """True for a value that means true, in a column of any type."""
    return value.strip().lower() in _TRUE_WORDS if isinstance(value, str) else bool(value)


def shorten(value: Any) -> str:
    """Return the value for a message."""
    text = str(value)
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def convert(row: SourceRow, columns: ColumnMap, zone: tzinfo = UTC) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the target columns, but for `model_id` and `is_active`, and why some do not fit."""
    converters: dict[str, Callable[[Any], Any]] = {
        "accuracy": to_accuracy,
        "created_at": lambda value: to_time(value, zone),
        "updated_at": lambda value: to_time(value, zone),
        "created_by_user_id": to_integer,
    }
    converted: dict[str, Any] = {}
    reasons: list[str] = []
    for target, sources in columns.columns.items():
        if target in {"model_id", "is_active"}:
            continue
        converter: Callable[[Any], Any] = converters.get(target, to_text)
        try:
            converted[target] = _join(row, sources) if len(sources) > 1 else converter(row.values[sources[0]])
        except Unfit as error:
            reasons.append(f"{', '.join(sources)}: {error}.")
    return converted, reasons


def _join(row: SourceRow, sources: tuple[str, ...]) -> str | None:
    """Return one line for each column that has a value."""
    lines = [f"{name}: {text}" for name in sources if (text := to_text(row.values[name])) not in (None, "")]
    return "\n".join(lines) or None


def is_rounded(accuracy: float | None) -> bool:
    """True when the column, which has 4 decimal places, cannot hold the number exactly."""
    return accuracy is not None and not math.isclose(round(accuracy, _PLACES), accuracy, rel_tol=0, abs_tol=1e-12)
