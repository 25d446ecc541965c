"""Reads and writes the sessions of browsers."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import BrowserSession, Principal

SessionRow = tuple[Principal, BrowserSession]


async def find(session: AsyncSession, session_hash: str) -> SessionRow | None:
    """Return a session and the person who signed in."""
    query = select(Principal, BrowserSession).join(
        BrowserSession, BrowserSession.principal_id == Principal.principal_id
    )
    found = (await session.execute(query.where(BrowserSession.session_hash == session_hash))).one_or_none()
    return None if found is None else (found[0], found[1])


async def list_of(session: AsyncSession, principal_id: int) -> Sequence[BrowserSession]:
    """Return the sessions of a person, newest first."""
    query = select(BrowserSession).where(BrowserSession.principal_id == principal_id)
    return (await session.scalars(query.order_by(BrowserSession.created_at.desc(), BrowserSession.session_hash))).all()


async def insert(
    session: AsyncSession,
    session_hash: str,
    principal_id: int,
    *,
    now: datetime,
    expires_at: datetime,
    user_agent: str | None = None,
) -> None:
    await session.execute(
        sql_insert(BrowserSession).values(
            session_hash=session_hash,
            principal_id=principal_id,
            created_at=now,
            last_seen_at=now,
            expires_at=expires_at,
            user_agent=user_agent,
        )
    )


async def note_use(session: AsyncSession, session_hash: str, at: datetime) -> None:
    """Record when a session was used last."""
    await session.execute(
        update(BrowserSession).where(BrowserSession.session_hash == session_hash).values(last_seen_at=at)
    )


async def delete(session: AsyncSession, session_hash: str) -> None:
    await session.execute(sql_delete(BrowserSession).where(BrowserSession.session_hash == session_hash))


async def delete_of(session: AsyncSession, principal_id: int) -> None:
    """Delete every session of a person."""
    await session.execute(sql_delete(BrowserSession).where(BrowserSession.principal_id == principal_id))


async def delete_ended(session: AsyncSession, *, now: datetime, unused_since: datetime) -> None:
    """Delete the sessions that have expired, and those that were not used since `unused_since`."""
    ended = (BrowserSession.expires_at <= now) | (BrowserSession.last_seen_at <= unused_since)
    await session.execute(sql_delete(BrowserSession).where(ended))
