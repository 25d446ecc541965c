"""Reads the history in the order of its chain, and finds the first entry that was changed, removed or inserted."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.history_chain import GENESIS, build_facts, compute_hash, parse_state
from understudy.models import History, HistoryEvent, HistoryHead
from understudy.models.adopted_types import AdoptedTime

_BATCH = 1000
MOST_FAULTS = 1000

Entry = Mapping[str, Any]

# Somebody may have typed a time that is none.
_COLUMNS = [
    type_coerce(each, AdoptedTime()).label(each.name) if each.name == "at" else each
    for each in History.__table__.columns
]


@dataclass(frozen=True)
class ChainReport:
    """The number of sealed entries, the hash of the last one, and the faults in their order.

    `accepted` are the faults that an entry of the event `accepted` names, which holds by itself.
    """

    entries: int
    head: str
    faults: tuple["Fault", ...]
    accepted: tuple["Fault", ...]

    @property
    def fault(self) -> str | None:
        """Return as a sentence the first fault that nobody accepted, or None."""
        return self.faults[0].text if self.faults else None


@dataclass(frozen=True)
class Fault:
    """A break of the chain as a sentence, and the SHA-256 of what stands there: another change is another fault."""

    text: str
    fingerprint: str


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
            f"The entry {_name(entry)} has no seal: it was inserted by SQL, or by a server of an earlier version.",
            entry,
        )
        on_entry(entry)
    return checker.build_report()


class _Checker:
    """Follows the chain and remembers the faults, and those that somebody accepted."""

    def __init__(self) -> None:
        self.position, self.last = 0, GENESIS
        self._faults: list[Fault] = []
        self._accepted: set[str] = set()
        self._id = 0

    def note(self, fault: str, entry: Entry | None = None) -> None:
        """Remember a fault and what stands there. The list is cut: a chain that is broken everywhere is one fault."""
        if len(self._faults) < MOST_FAULTS:
            facts = {} if entry is None else build_facts(entry)
            self._faults.append(Fault(fault, compute_hash(GENESIS, {"fault": fault, **facts})))

    def build_report(self) -> ChainReport:
        faults = tuple(each for each in self._faults if each.fingerprint not in self._accepted)
        accepted = tuple(each for each in self._faults if each.fingerprint in self._accepted)
        return ChainReport(self.position, self.last, faults, accepted)

    def check(self, entry: Entry) -> None:
        before = len(self._faults)
        self._compare(entry)
        if entry["event"] == HistoryEvent.ACCEPTED and len(self._faults) == before:
            after = parse_state(entry["after_json"])
            found = after.get("faults") if isinstance(after, dict) else None
            self._accepted.update(each for each in found or () if isinstance(each, str))

    def _compare(self, entry: Entry) -> None:
        wanted, before = self.position + 1, self.last
        self.position, self.last = entry["position"], entry["entry_hash"]
        if entry["position"] != wanted:
            removed = f"{wanted}" if entry["position"] == wanted + 1 else f"{wanted} to {entry['position'] - 1}"
            self.note(f"Removed: position {removed}. The next entry is {_name(entry)}.", entry)
        elif compute_hash(str(entry["previous_hash"]), build_facts(entry)) != entry["entry_hash"]:
            self.note(f"Position {wanted} was changed or inserted: {_name(entry)} does not match its seal.", entry)
        elif entry["previous_hash"] != before:
            self.note(
                f"Position {wanted - 1} was changed or inserted, and sealed again: {_name(entry)} was sealed after "
                "another one.",
                entry,
            )
        elif entry["history_id"] <= self._id:
            self.note(f"Position {wanted} was moved: {_name(entry)} stands before entry {self._id}.", entry)
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
