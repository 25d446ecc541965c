"""Reads and writes the keys of machines."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import AccessKey, Principal

KeyRow = tuple[Principal, AccessKey]


def _select_keys() -> Select[Principal, AccessKey]:
    return select(Principal, AccessKey).join(AccessKey, AccessKey.principal_id == Principal.principal_id)


async def find_prefix(session: AsyncSession, prefix: str) -> KeyRow | None:
    """Return the key that begins with `prefix`, and its principal."""
    found = (await session.execute(_select_keys().where(AccessKey.prefix == prefix))).one_or_none()
    return None if found is None else (found[0], found[1])


async def find_named(session: AsyncSession, login: str) -> KeyRow | None:
    """Return the key whose name in lower case or whose prefix is `login`."""
    query = _select_keys().where((Principal.login == login) | (AccessKey.prefix == login))
    found = (await session.execute(query)).one_or_none()
    return None if found is None else (found[0], found[1])


async def list_all(session: AsyncSession) -> Sequence[KeyRow]:
    return [(row[0], row[1]) for row in await session.execute(_select_keys().order_by(Principal.principal_id))]


async def insert(
    session: AsyncSession,
    principal_id: int,
    *,
    prefix: str,
    secret_hash: str,
    source: str | None,
    expires_at: datetime | None,
    person_id: int | None = None,
) -> AccessKey:
    key = AccessKey(
        principal_id=principal_id,
        prefix=prefix,
        secret_hash=secret_hash,
        source=source,
        expires_at=expires_at,
        person_id=person_id,
    )
    session.add(key)
    await session.flush()
    return key


async def note_use(session: AsyncSession, principal_id: int, at: datetime) -> None:
    """Record when a key was used last."""
    await session.execute(update(AccessKey).where(AccessKey.principal_id == principal_id).values(last_used_at=at))
