"""Converts the times of rows that were typed by hand to UTC.

Understudy writes `created_at` and `updated_at` in UTC. A default such as `now()` fills a column without a zone in the
zone of the database's sessions. Nothing in the row says which of both wrote it; the history does: Understudy wrote
`created_at` of every model that it registered, and `updated_at` of those that it registered or updated. A column with a
zone is exact.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import History, HistoryEvent
from understudy.models.base import to_naive_utc
from understudy.registry.database.time_zone import read_zone
from understudy.registry.models.history import model_history

_WRITTEN_BY = {
    "created_at": {HistoryEvent.REGISTERED},
    "updated_at": {HistoryEvent.REGISTERED, HistoryEvent.UPDATED},
}
_READ_ZONELESS = text("""
    SELECT attname FROM pg_attribute
    WHERE attrelid = to_regclass('ml_models') AND atttypid IN (CAST('timestamp' AS regtype), CAST('date' AS regtype))
""")


@dataclass(frozen=True)
class _Rule:
    """The zone of times typed by hand, and the columns without a zone."""

    zone: tzinfo
    columns: frozenset[str]


class StoredTimes:
    """The rule of one database; it is read once."""

    def __init__(self) -> None:
        self._rule: _Rule | None = None

    async def to_utc(self, session: AsyncSession, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows, each a mapping of columns, with the times that were typed by hand in UTC, without a zone."""
        rule = self._rule = self._rule or await _read_rule(session)
        rows = [dict(values) for values in found]
        if rule.columns and rows:
            written = await _read_events(session, {values["model_id"] for values in rows})
            for values in rows:
                values.update(_convert(values, written, rule))
        return rows


async def _read_rule(session: AsyncSession) -> _Rule:
    zone = await read_zone(session)
    if zone is UTC:
        return _Rule(zone, frozenset())
    zoneless = frozenset(await session.scalars(_READ_ZONELESS))
    return _Rule(zone, zoneless & _WRITTEN_BY.keys())


async def _read_events(session: AsyncSession, ids: set[int]) -> set[tuple[int | None, str]]:
    """Return the pairs of model and event that say that Understudy wrote the times."""
    events = set().union(*_WRITTEN_BY.values())
    query = select(History.model_id, History.event).where(History.model_id.in_(ids), History.event.in_(events))
    stored = {(model_id, event) for model_id, event in await session.execute(query.distinct())}
    return stored | model_history.list_pending(session)


def _convert(
    values: Mapping[str, Any], written: set[tuple[int | None, str]], rule: _Rule
) -> Iterator[tuple[str, datetime]]:
    for column in rule.columns:
        value = values[column]
        if value is not None and not any((values["model_id"], event) in written for event in _WRITTEN_BY[column]):
            yield column, to_naive_utc(value.replace(tzinfo=rule.zone))
