"""Reads and writes people and identities."""

from collections.abc import Collection, Sequence

from sqlalchemy import Select, func, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.models import Principal, PrincipalKind, utc_now
from understudy.schemas.access.role import Role


async def find(session: AsyncSession, principal_id: int) -> Principal | None:
    return await session.get(Principal, principal_id, populate_existing=True)


async def find_login(session: AsyncSession, login: str) -> Principal | None:
    """Return the person or key with this name in lower case."""
    return await session.scalar(select(Principal).where(Principal.login == login))


async def find_subject(session: AsyncSession, issuer: str, subject: str) -> Principal | None:
    """Return the identity that an issuer of tokens calls `subject`."""
    return await session.scalar(select(Principal).where(Principal.issuer == issuer, Principal.subject == subject))


async def list_of_kind(session: AsyncSession, *kinds: PrincipalKind) -> Sequence[Principal]:
    query = select(Principal).where(Principal.kind.in_(kinds)).order_by(Principal.principal_id)
    return (await session.scalars(query)).all()


async def read_names(session: AsyncSession, ids: Collection[int]) -> dict[int, str]:
    """Return the names of the principals with these ids, by id."""
    if not ids:
        return {}
    found = await session.scalars(select(Principal).where(Principal.principal_id.in_(ids)))
    return {each.principal_id: each.name for each in found}


async def insert(
    session: AsyncSession,
    kind: PrincipalKind,
    name: str,
    *,
    role: Role | None,
    login: str | None = None,
    password_hash: str | None = None,
    issuer: str | None = None,
    subject: str | None = None,
) -> Principal:
    """Add a principal and return it with its id."""
    principal = Principal(
        kind=kind,
        name=name,
        login=login,
        role=role,
        password_hash=password_hash,
        issuer=issuer,
        subject=subject,
        created_at=utc_now(),
    )
    session.add(principal)
    await session.flush()
    return principal


async def delete(session: AsyncSession, principal_id: int) -> None:
    """Delete a principal with its key and its sessions."""
    await session.execute(sql_delete(Principal).where(Principal.principal_id == principal_id))


async def count_admins(session: AsyncSession) -> int:
    """Return how many people are admins and not disabled."""
    return await session.scalar(_count().where(Principal.role == Role.ADMIN, Principal.disabled_at.is_(None))) or 0


async def count_people(session: AsyncSession) -> int:
    return await session.scalar(_count()) or 0


def _count() -> Select[int]:
    return select(func.count()).select_from(Principal).where(Principal.kind == PrincipalKind.PERSON)
