"""Use-cases of people at a browser: sign in, sign out, sign out everywhere."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.access.accounts.browser_name import shorten_agent
from understudy.access.accounts.people import normalize_name
from understudy.access.credentials.credential import Credential
from understudy.access.credentials.failed_attempts import FailedAttempts
from understudy.access.credentials.passwords import Passwords
from understudy.access.credentials.secret_token import hash_token, make_session_token
from understudy.errors import NotSignedIn
from understudy.models import BrowserSession, PrincipalKind, utc_now
from understudy.registry.access import principals, revision, sessions
from understudy.registry.database.column_values import has_nul
from understudy.registry.database.database import Database
from understudy.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True)
class NewSession:
    """A session that has begun; `token` is the value of its cookie and in no `repr`."""

    token: str = field(repr=False)
    seconds: int

    @property
    def credential(self) -> Credential:
        return Credential(self.token, is_session=True)


class SignIns:
    """Begins and ends sessions. Every method raises DatabaseUnavailable when the database fails."""

    def __init__(self, settings: Settings, database: Database, passwords: Passwords, attempts: FailedAttempts) -> None:
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._seconds = settings.session_seconds
        self._idle = timedelta(seconds=settings.session_idle_seconds)

    async def sign_in(self, name: str, password: str, address: str, user_agent: str | None = None) -> NewSession:
        """Begin a session. `address` is the client's, for the count of failures.

        Raises NotSignedIn, which does not say whether the name exists, and TooManyAttempts.
        """
        login = normalize_name(name)
        self._attempts.check(address, login)
        # Counted before the password is checked: many attempts at once count as many.
        failures = self._attempts.record_failure(address, login)
        person = None
        if not has_nul(login):
            async with self._database.read() as session:
                person = await principals.find_login(session, login)
        is_person = person is not None and person.kind == PrincipalKind.PERSON and person.disabled_at is None
        stored = person.password_hash if person is not None and is_person else None
        if not await self._passwords.check(password, stored) or person is None or stored is None:
            # Not the name as it was typed: it may be a password.
            log.warning("sign-in failed", user=person.name if person else None, address=address, failures=failures)
            raise NotSignedIn(
                "The name or the password is wrong.",
                remedy="Try again. An admin can set a new password: `understudy users password NAME`.",
            )
        renewed = await self._passwords.hash(password) if self._passwords.is_outdated(stored) else None
        self._attempts.record_success(address, login)
        async with self._database.write() as session:
            current = await principals.find(session, person.principal_id)
            if current is None or current.disabled_at is not None or current.password_hash != stored:
                raise NotSignedIn("The account was changed meanwhile.", remedy="Try again.")
            if renewed is not None:
                current.password_hash = renewed
            begun = await self.begin(session, person.principal_id, user_agent)
        log.info("signed in", user=person.name, address=address)
        return begun

    async def begin(self, session: AsyncSession, principal_id: int, user_agent: str | None = None) -> NewSession:
        """Begin a session of the principal in an open transaction, and clear those that have ended.

        `user_agent` is what the browser says of itself.
        """
        token, now = make_session_token(), utc_now()
        await sessions.delete_ended(session, now=now, unused_since=now - self._idle)
        expires_at = now + timedelta(seconds=self._seconds)
        await sessions.insert(
            session,
            hash_token(token),
            principal_id,
            now=now,
            expires_at=expires_at,
            user_agent=shorten_agent(user_agent),
        )
        return NewSession(token, self._seconds)

    def find_end(self, row: BrowserSession) -> datetime:
        """Return when the session ends unless it is used (UTC, without a zone)."""
        return min(row.expires_at, row.last_seen_at + self._idle)

    async def sign_out(self, token: str) -> None:
        """End the session; its open streams end within a second."""
        async with self._database.write() as session:
            await sessions.delete(session, hash_token(token))
            await revision.advance(session)

    async def sign_out_everywhere(self, principal_id: int) -> None:
        """End every session of the person."""
        async with self._database.write() as session:
            await sessions.delete_of(session, principal_id)
            await revision.advance(session)
        log.info("signed out everywhere", principal_id=principal_id)
