"""Use-cases on the keys of machines: create, list, change, revoke."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.access.accounts.people import normalize_name, refuse_taken_name
from understudy.access.credentials.secret_token import hash_token, make_key
from understudy.errors import AccountRefused, KeyNotFound, UserNotFound
from understudy.models import AccessKey, Principal, PrincipalKind, utc_now
from understudy.registry.access import keys, principals, revision
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.schemas.access.account import KeyCreate, KeyOut, KeyUpdate, NewKey
from understudy.schemas.access.role import Role

log = structlog.get_logger()


class MachineKeys:
    """The keys. Every method raises DatabaseUnavailable when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, request: KeyCreate, *, by: str) -> NewKey:
        """Make a key; only this answer holds its secret. Raises AccountTaken, AccountRefused and UserNotFound."""
        refuse_nul("name", request.name)
        if (request.role is Role.DEVICE) != (request.source is not None):
            raise AccountRefused("A key of the role device needs a source, and only that role has one.")
        prefix, key = make_key()
        expires = None if request.expires_days is None else utc_now() + timedelta(days=request.expires_days)
        async with self._database.write() as session:
            await refuse_taken_name(session, request.name)
            await _refuse_absent(session, request.person_id)
            login = normalize_name(request.name)
            principal = await principals.insert(
                session, PrincipalKind.KEY, request.name, role=request.role, login=login
            )
            row = await keys.insert(
                session,
                principal.principal_id,
                prefix=prefix,
                secret_hash=hash_token(key),
                source=request.source,
                expires_at=expires,
                person_id=request.person_id,
            )
            await revision.advance(session)
            [shown] = await _to_answers(session, [(principal, row)])
            answer = NewKey(**shown.model_dump(), key=key)
        log.info("key created", name=answer.name, prefix=prefix, role=answer.role, by=by)
        return answer

    async def list(self) -> list[KeyOut]:
        """Return all keys, revoked ones too, in the order in which they were made."""
        async with self._database.read() as session:
            return await _to_answers(session, await keys.list_all(session))

    async def update(self, name: str, changes: KeyUpdate, *, by: str) -> KeyOut:
        """Change limits and person of a key by its name or prefix; they count within a second.

        Raises KeyNotFound and UserNotFound.
        """
        given = changes.model_dump(exclude_unset=True)
        async with self._change(name) as (session, key):
            await _refuse_absent(session, given.get("person_id"))
            for field, value in given.items():
                setattr(key.row, field, value)
        log.info("key changed", name=key.answer.name, **given, by=by)
        return key.answer

    async def revoke(self, name: str, *, by: str) -> KeyOut:
        """End a key by its name or prefix; its open streams end within a second. Raises KeyNotFound.

        A revoked key stays in the list, so that the history knows its name.
        """
        async with self._change(name) as (_, key):
            key.row.revoked_at = key.row.revoked_at or utc_now()
        log.info("key revoked", name=key.answer.name, prefix=key.answer.prefix, by=by)
        return key.answer

    @asynccontextmanager
    async def _change(self, name: str) -> AsyncIterator[tuple[AsyncSession, "_Changed"]]:
        """Yield the row of a key to change; its answer is there after the block."""
        async with self._database.write() as session:
            found = await keys.find_named(session, normalize_name(name))
            if found is None:
                raise KeyNotFound(f"There is no key {name}.")
            changed = _Changed(found[1])
            yield session, changed
            await revision.advance(session)
            [changed.answer] = await _to_answers(session, [found])


class _Changed:
    """A key that is being changed, and how it is shown afterwards."""

    answer: KeyOut

    def __init__(self, row: AccessKey) -> None:
        self.row = row


async def _refuse_absent(session: AsyncSession, person_id: int | None) -> None:
    """Raises UserNotFound where a key would speak for nobody that is there."""
    if person_id is not None:
        person = await principals.find(session, person_id)
        if person is None or person.kind == PrincipalKind.KEY:
            raise UserNotFound(f"There is no user {person_id}.")


async def _to_answers(session: AsyncSession, found: Sequence[tuple[Principal, AccessKey]]) -> list[KeyOut]:
    names = await principals.read_names(session, {key.person_id for _, key in found if key.person_id is not None})
    return [_to_answer(principal, key, names) for principal, key in found]


def _to_answer(principal: Principal, key: AccessKey, names: Mapping[int, str]) -> KeyOut:
    return KeyOut(
        principal_id=principal.principal_id,
        name=principal.name,
        prefix=key.prefix,
        role=Role(principal.role or ""),
        source=key.source,
        created_at=principal.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        requests_per_second=key.requests_per_second,
        concurrent_requests=key.concurrent_requests,
        person_id=key.person_id,
        person=None if key.person_id is None else names.get(key.person_id),
    )
