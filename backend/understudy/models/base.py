"""The base of all tables: names of constraints, times and JSON documents."""

from datetime import UTC, datetime

from sqlalchemy import JSON, TIMESTAMP, Dialect, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine


def utc_now() -> datetime:
    """Return the present time in UTC without a zone, as the TIMESTAMP columns hold it."""
    return datetime.now(UTC).replace(tzinfo=None)


def to_naive_utc(value: datetime) -> datetime:
    """Return `value` in UTC without a zone; a value without a zone counts as UTC."""
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


class UtcTimestamp(TypeDecorator[datetime]):
    """TIMESTAMP in UTC; also reads columns that were made by hand WITH TIME ZONE."""

    impl = TIMESTAMP
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else to_naive_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else to_naive_utc(value)


class JsonDocument(TypeDecorator[dict[str, object]]):
    """JSONB on PostgreSQL, JSON elsewhere; None is stored as NULL.

    A server on SQLite never imports PostgreSQL's dialect, which takes 3 MB.
    """

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[dict[str, object]]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON(none_as_null=True))
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB(none_as_null=True))


class Base(DeclarativeBase):
    """The base class of the tables.

    Constraints have the names that PostgreSQL chooses itself, so that a table made by hand compares equal.
    """

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
        }
    )
    type_annotation_map = {datetime: UtcTimestamp(), dict[str, object]: JsonDocument()}  # noqa: RUF012
