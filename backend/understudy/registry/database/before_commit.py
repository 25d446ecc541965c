"""Defers work to the end of a transaction: what takes a lock that all writers share should be its last statements."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncSession

_Item = TypeVar("_Item")
_Work = Callable[[AsyncSession, list[Any]], Awaitable[None]]

_KEY = "understudy_before_commit"


def defer(session: AsyncSession, work: Callable[[AsyncSession, list[_Item]], Awaitable[None]], item: _Item) -> None:
    """Let `Database.write` await `work` once before it commits, with all items that were deferred to it, in order."""
    cast("dict[_Work, list[Any]]", session.info.setdefault(_KEY, {})).setdefault(work, []).append(item)


def list_deferred(session: AsyncSession, work: Callable[[AsyncSession, list[_Item]], Awaitable[None]]) -> list[_Item]:
    """Return the items that were deferred to `work` in this transaction and are still to be done."""
    return list(session.info.get(_KEY, {}).get(work, ()))


async def run(session: AsyncSession) -> None:
    """Do what was deferred. An error undoes the transaction, as one before it does."""
    deferred: dict[_Work, list[Any]] = session.info.pop(_KEY, {})
    for work, items in deferred.items():
        await work(session, items)
