"""Counts the changes of access, so that each process sees with one small query that there is one."""

from dataclasses import dataclass

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import AccessRevision, Principal


@dataclass(frozen=True)
class AccessFacts:
    """The number of changes, and whether there is any account."""

    revision: int
    has_accounts: bool


# Built once: each server asks it all the time.
_FACTS = select(AccessRevision.revision, exists(select(Principal)))


async def read(session: AsyncSession) -> AccessFacts:
    revision, has_accounts = (await session.execute(_FACTS)).one()
    return AccessFacts(revision, has_accounts)


async def advance(session: AsyncSession) -> None:
    """Note a change; every process looks at its callers again."""
    await session.execute(update(AccessRevision).values(revision=AccessRevision.revision + 1))
