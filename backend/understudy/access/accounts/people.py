"""Use-cases on people: add, list, change, remove."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.access.credentials.passwords import Passwords
from understudy.errors import AccountRefused, AccountTaken, LastAdmin, UserNotFound
from understudy.models import Principal, PrincipalKind, utc_now
from understudy.registry.access import principals, revision, sessions
from understudy.registry.database.column_values import refuse_nul
from understudy.registry.database.database import Database
from understudy.schemas.access.account import UserOut
from understudy.schemas.access.role import Role

log = structlog.get_logger()

_KINDS = (PrincipalKind.PERSON, PrincipalKind.IDENTITY)


def normalize_name(name: str) -> str:
    """Return the name as it is compared: `Anna` and `anna` are the same person."""
    return name.strip().casefold()


class People:
    """The people who may sign in. Every method raises DatabaseUnavailable when the database fails."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def add(self, name: str, role: Role, password: str, *, by: str) -> UserOut:
        """Add a person. Raises AccountTaken, AccountRefused (a device has a key) and PasswordRefused."""
        refuse_nul("name", name)
        _refuse_device(role)
        password_hash = await self._passwords.hash(password)
        async with self._database.write() as session:
            await refuse_taken_name(session, name)
            person = await principals.insert(
                session,
                PrincipalKind.PERSON,
                name,
                role=role,
                login=normalize_name(name),
                password_hash=password_hash,
            )
            await revision.advance(session)
            answer = _to_answer(person)
        _log_change("user added", answer, by)
        return answer

    async def list(self) -> list[UserOut]:
        """Return people and identities in the order in which they came."""
        async with self._database.read() as session:
            return [_to_answer(each) for each in await principals.list_of_kind(session, *_KINDS)]

    async def get_id(self, name: str) -> int:
        """Return the id of the person with this name, or of the identity with this subject. Raises UserNotFound."""
        async with self._database.read() as session:
            person = await principals.find_login(session, normalize_name(name))
            if person is not None and person.kind == PrincipalKind.PERSON:
                return person.principal_id
            for each in await principals.list_of_kind(session, PrincipalKind.IDENTITY):
                if name in (each.subject, each.name):
                    return each.principal_id
        raise UserNotFound(f"There is no user {name}.")

    async def update(
        self,
        principal_id: int,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        by: str,
    ) -> UserOut:
        """Change what is given. A new password and a disabled account end the person's sessions.

        Raises UserNotFound, LastAdmin, PasswordRefused, and AccountRefused for the role or password of an identity.
        """
        _refuse_device(role)
        password_hash = None if password is None else await self._passwords.hash(password)
        async with self._database.write() as session:
            person = await _get(session, principal_id)
            if person.kind != PrincipalKind.PERSON and (role or password_hash):
                raise AccountRefused(
                    f"{person.name} signs in with tokens of {person.issuer}, which say the role.",
                    remedy="Change the role at that service, or disable the user here.",
                )
            loses_admin = disabled is True or (role is not None and role is not Role.ADMIN)
            if loses_admin:
                await _refuse_last_admin(session, person)
            if role is not None:
                person.role = role
            if password_hash is not None:
                person.password_hash = password_hash
            if disabled is not None:
                person.disabled_at = utc_now() if disabled else None
            if disabled or password_hash is not None:
                await sessions.delete_of(session, principal_id)
            await revision.advance(session)
            answer = _to_answer(person)
        _log_change("user changed", answer, by)
        return answer

    async def end_sessions(self, principal_id: int, *, by: str) -> UserOut:
        """End every session of a person; their open streams end within a second. Raises UserNotFound."""
        async with self._database.write() as session:
            answer = _to_answer(await _get(session, principal_id))
            await sessions.delete_of(session, principal_id)
            await revision.advance(session)
        _log_change("user signed out everywhere", answer, by)
        return answer

    async def remove(self, principal_id: int, *, by: str) -> UserOut:
        """Remove a person or identity and their sessions.

        Raises UserNotFound, and LastAdmin unless it is the last account of all.
        """
        async with self._database.write() as session:
            person = await _get(session, principal_id)
            # The last account may go: access is open again then, as it was before the first.
            if len(await principals.list_of_kind(session, *PrincipalKind)) > 1:
                await _refuse_last_admin(session, person)
            answer = _to_answer(person)
            await principals.delete(session, principal_id)
            await revision.advance(session)
        _log_change("user removed", answer, by)
        return answer

    async def count_admins(self) -> int:
        """Return how many people are admins and not disabled."""
        async with self._database.read() as session:
            return await principals.count_admins(session)


async def refuse_taken_name(session: AsyncSession, name: str) -> None:
    """Raises AccountTaken where a person or a key has the name."""
    holder = await principals.find_login(session, normalize_name(name))
    if holder is not None:
        raise AccountTaken(f"There is a {'user' if holder.kind == PrincipalKind.PERSON else 'key'} {holder.name}.")


async def _get(session: AsyncSession, principal_id: int) -> Principal:
    person = await principals.find(session, principal_id)
    if person is None or person.kind not in _KINDS:
        raise UserNotFound(f"There is no user {principal_id}.")
    return person


async def _refuse_last_admin(session: AsyncSession, person: Principal) -> None:
    """Raises LastAdmin where the person is the only admin who is not disabled."""
    is_admin = person.kind == PrincipalKind.PERSON and person.role == Role.ADMIN and person.disabled_at is None
    if is_admin and await principals.count_admins(session) == 1:
        raise LastAdmin(f"{person.name} is the only admin.")


def _refuse_device(role: Role | None) -> None:
    if role is Role.DEVICE:
        raise AccountRefused(
            "The role device is for keys.",
            remedy="Make a key: `understudy keys create NAME --role device --source SOURCE`.",
        )


def _to_answer(person: Principal) -> UserOut:
    return UserOut(
        principal_id=person.principal_id,
        kind=person.kind,
        name=person.name,
        role=None if person.role is None else Role(person.role),
        disabled=person.disabled_at is not None,
        created_at=person.created_at,
        issuer=person.issuer,
        subject=person.subject,
    )


def _log_change(event: str, answer: UserOut, by: str) -> None:
    log.info(event, name=answer.name, role=answer.role, disabled=answer.disabled, by=by)
