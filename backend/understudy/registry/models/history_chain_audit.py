"""Reads the history in the order of its chain, and finds the first entry that was changed, removed or inserted."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.history_chain import GENESIS, build_facts, compute_hash
from understudy.models import History, HistoryHead
from understudy.models.adopted_types import AdoptedTime

_BATCH = 1000

Entry = Mapping[str, Any]

# Somebody may have typed a time that is none.
_COLUMNS = [
    type_coerce(each, AdoptedTime()).label(each.name) if each.name == "at" else each
    for each in History.__table__.columns
]


@dataclass(frozen=True)
class ChainReport:
    """The number of sealed entries, the hash of the last one, and as a sentence the first fault, or None."""

    entries: int
    head: str
    fault: str | None


async def audit(session: AsyncSession, on_entry: Callable[[Entry], None] = lambda _: None) -> ChainReport:
    """Check the whole chain; `on_entry` gets each entry in order, those without a seal last.

    Entries that are added meanwhile do not count. Reads the history once and holds a small part of it.
    """
    head = (await session.execute(select(HistoryHead.position, HistoryHead.entry_hash))).one_or_none()
    checker = _Checker()
    async for entry in _read_sealed(session, None if head is None else head.position):
        checker.check(entry)
        on_entry(entry)
    if head is None:
        checker.note("The row of understudy_history_head, which names the last entry, was removed.")
    else:
        checker.check_end(head.position, head.entry_hash)
        await _check_beyond(session, checker)
    async for entry in _read_unsealed(session):
        checker.note(
            f"The entry {_name(entry)} has no seal: it was inserted by SQL, or by a server of an earlier version."
        )
        on_entry(entry)
    return ChainReport(checker.position, checker.last, checker.fault)


class _Checker:
    """Follows the chain and remembers the first fault."""

    def __init__(self) -> None:
        self.position, self.last = 0, GENESIS
        self.fault: str | None = None
        self._id = 0

    def note(self, fault: str) -> None:
        self.fault = self.fault or fault

    def check(self, entry: Entry) -> None:
        wanted, before = self.position + 1, self.last
        self.position, self.last = entry["position"], entry["entry_hash"]
        if entry["position"] != wanted:
            removed = f"{wanted}" if entry["position"] == wanted + 1 else f"{wanted} to {entry['position'] - 1}"
            self.note(f"Removed: position {removed}. The next entry is {_name(entry)}.")
        elif compute_hash(str(entry["previous_hash"]), build_facts(entry)) != entry["entry_hash"]:
            self.note(f"Position {wanted} was changed or inserted: {_name(entry)} does not match its seal.")
        elif entry["previous_hash"] != before:
            self.note(
                f"Position {wanted - 1} was changed or inserted, and sealed again: {_name(entry)} was sealed after "
                "another one."
            )
        elif entry["history_id"] <= self._id:
            self.note(f"Position {wanted} was moved: {_name(entry)} stands before entry {self._id}.")
        self._id = entry["history_id"]

    def check_end(self, position: int, last: str) -> None:
        if self.position < position:
            self.note(f"Removed: position {self.position + 1} to {position}, the end of the history.")
        elif self.last != last:
            self.note(f"Position {position}, the last entry, was changed and sealed again.")


async def _check_beyond(session: AsyncSession, checker: _Checker) -> None:
    """Note entries after the one that the head names; both are read at once, because others write meanwhile."""
    newest = select(func.max(History.position)).scalar_subquery()
    position, highest = (await session.execute(select(HistoryHead.position, newest))).one()
    if highest is not None and highest > position:
        checker.note(f"Position {position + 1} was inserted at the end of the history.")


async def _read_sealed(session: AsyncSession, last: int | None) -> AsyncIterator[Entry]:
    """Yield the entries up to position `last`, or all."""
    position = 0
    while True:
        query = select(*_COLUMNS).where(History.position > position).order_by(History.position).limit(_BATCH)
        if last is not None:
            query = query.where(History.position <= last)
        found = (await session.execute(query)).mappings().all()
        for entry in found:
            yield dict(entry)
        if len(found) < _BATCH:
            return
        position = found[-1]["position"]


async def _read_unsealed(session: AsyncSession) -> AsyncIterator[Entry]:
    query = select(*_COLUMNS).where(History.position.is_(None)).order_by(History.history_id)
    for entry in (await session.execute(query)).mappings():
        yield dict(entry)


def _name(entry: Entry) -> str:
    """Return how a person finds the entry."""
    parts: list[Any] = [entry["history_id"], entry["event"], entry["model_name"] or entry["model_id"], entry["at"]]
    return " ".join(str(part) for part in parts if part is not None)
