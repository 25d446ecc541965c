"""Types of the columns of `ml_models`, which also read and write a table that was made by hand.

The columns of such a table may have other types than the documented ones. Reading never raises: a value that cannot be
shown is None. On PostgreSQL text, numbers and times are sent without a type, so that the column decides how to read
them (an enum, `citext`, a time with or without a zone); it refuses what does not fit.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import TIMESTAMP, Boolean, Dialect, Integer, Numeric, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from understudy.models.base import to_naive_utc

_Value = TypeVar("_Value")

_TRUE_WORDS = {"true", "t", "yes", "y", "on", "1"}


def _adapt_without_cast(typed: TypeEngine[Any], visit_name: str) -> TypeEngine[Any]:
    """Return the type of a dialect without the cast that it writes around each value; DDL calls it `visit_name`."""
    kind = type(typed)
    changed = {"render_bind_cast": False, "__visit_name__": visit_name}
    return typed.adapt(type(f"Untyped{kind.__name__}", (kind,), changed))


class _Adopted(TypeDecorator[_Value]):
    """Reads a value by `convert` alone, past the type that the column should have."""

    cache_ok = True

    @staticmethod
    def convert(value: Any) -> Any:
        """Return the value as the API shows it, or None."""
        raise NotImplementedError

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002
        return self.convert


class _Untyped(_Adopted[_Value]):
    """Is sent to PostgreSQL without a type."""

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return self.impl_instance
        return _adapt_without_cast(dialect.type_descriptor(self.impl_instance), self.impl_instance.__visit_name__)


class AdoptedText(_Untyped[str]):
    """Text; other values are written out."""

    impl = String
    cache_ok = True

    @staticmethod
    def convert(value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bytes | memoryview):
            return bytes(value).decode("utf-8", "replace")
        return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


class AdoptedLongText(AdoptedText):
    """Text without a limit."""

    impl = Text
    cache_ok = True


class RequiredText(AdoptedText):
    """Text of a column that the document calls NOT NULL; without a value it is empty."""

    cache_ok = True

    @staticmethod
    def convert(value: Any) -> str:
        return AdoptedText.convert(value) or ""


def _write_number(value: float) -> str:
    """Return the number without a fraction where it has none, as an integer column reads it."""
    return f"{value:.0f}" if value.is_integer() else repr(value)


class AdoptedNumber(_Untyped[float]):
    """A number; written as text, because PostgreSQL would round a number that it puts into an integer column."""

    impl = Numeric
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[float | None], Any]:
        own = self.impl_instance.bind_processor(dialect)
        if dialect.name == "postgresql":
            return lambda value: None if value is None else _write_number(float(value))
        return own or (lambda value: value)

    @staticmethod
    def convert(value: Any) -> float | None:
        if not isinstance(value, int | float | Decimal | str):
            return None
        try:
            return float(value)
        except ValueError:
            return None


class AdoptedTime(_Untyped[datetime]):
    """A time in UTC without a zone, as the document's TIMESTAMP holds it.

    PostgreSQL gets it as text with +00. A column with a zone reads that as UTC whatever the zone of the session is, and
    a column without one ignores it.
    """

    impl = TIMESTAMP
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        if dialect.name == "postgresql":
            return lambda value: None if value is None else f"{to_naive_utc(value).isoformat(sep=' ')}+00"
        own: Callable[[Any], Any] | None = self.impl_instance.dialect_impl(dialect).bind_processor(dialect)

        def store(value: datetime | None) -> Any:
            naive = None if value is None else to_naive_utc(value)
            return naive if own is None else own(naive)

        return store

    @staticmethod
    def convert(value: Any) -> datetime | None:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        if isinstance(value, datetime):
            try:
                return to_naive_utc(value)
            except OverflowError:
                return None
        return datetime(value.year, value.month, value.day) if isinstance(value, date) else None  # noqa: DTZ001


class AdoptedFlag(_Adopted[bool]):
    """A truth value; SQLite may hold a word in its place."""

    impl = Boolean
    cache_ok = True

    @staticmethod
    def convert(value: Any) -> bool | None:
        if isinstance(value, str):
            return value.strip().lower() in _TRUE_WORDS
        return None if value is None else bool(value)


class AdoptedUserId(_Adopted[int]):
    """The number of a user. Ids of other kinds, such as the UUIDs of Supabase's `auth.users`, are None."""

    impl = Integer
    cache_ok = True

    @staticmethod
    def convert(value: Any) -> int | None:
        return value if type(value) is int else None
