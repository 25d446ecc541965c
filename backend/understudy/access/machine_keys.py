"""Use-cases on the keys of machines: create, list, revoke."""

from datetime import timedelta

import structlog

from understudy.access.people import normalize_name, refuse_taken_name
from understudy.access.secret_token import hash_token, make_key
from understudy.errors import AccountRefused, KeyNotFound
from understudy.models import AccessKey, Principal, PrincipalKind, utc_now
from understudy.registry.access import keys, principals, revision
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.schemas.access.account import KeyCreate, KeyLimits, KeyOut, NewKey
from understudy.schemas.access.role import Role

log = structlog.get_logger()


class MachineKeys:
    """The keys. Every method raises DatabaseUnavailable when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, request: KeyCreate, *, by: str) -> NewKey:
        """Make a key; only this answer holds its secret. Raises AccountTaken and AccountRefused."""
        refuse_nul("name", request.name)
        if (request.role is Role.DEVICE) != (request.source is not None):
            raise AccountRefused("A key of the role device needs a source, and only that role has one.")
        prefix, key = make_key()
        expires = None if request.expires_days is None else utc_now() + timedelta(days=request.expires_days)
        async with self._database.write() as session:
            await refuse_taken_name(session, request.name)
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
            )
            await revision.advance(session)
            answer = NewKey(**_to_answer(principal, row).model_dump(), key=key)
        log.info("key created", name=answer.name, prefix=prefix, role=answer.role, by=by)
        return answer

    async def list(self) -> list[KeyOut]:
        """Return all keys, revoked ones too, in the order in which they were made."""
        async with self._database.read() as session:
            return [_to_answer(*row) for row in await keys.list_all(session)]

    async def set_limits(self, name: str, limits: KeyLimits, *, by: str) -> KeyOut:
        """Replace the limits of a key by its name or prefix; they count within a second. Raises KeyNotFound."""
        async with self._database.write() as session:
            found = await keys.find_named(session, normalize_name(name))
            if found is None:
                raise KeyNotFound(f"There is no key {name}.")
            principal, key = found
            key.requests_per_second = limits.requests_per_second
            key.concurrent_requests = limits.concurrent_requests
            await revision.advance(session)
            answer = _to_answer(principal, key)
        log.info("key limited", name=answer.name, **limits.model_dump(), by=by)
        return answer

    async def revoke(self, name: str, *, by: str) -> KeyOut:
        """End a key by its name or prefix; its open streams end within a second. Raises KeyNotFound.

        A revoked key stays in the list, so that the history knows its name.
        """
        async with self._database.write() as session:
            found = await keys.find_named(session, normalize_name(name))
            if found is None:
                raise KeyNotFound(f"There is no key {name}.")
            principal, key = found
            key.revoked_at = key.revoked_at or utc_now()
            await revision.advance(session)
            answer = _to_answer(principal, key)
        log.info("key revoked", name=answer.name, prefix=answer.prefix, by=by)
        return answer


def _to_answer(principal: Principal, key: AccessKey) -> KeyOut:
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
    )
