"""Use-cases of a signed-in person on their own account: change the password, list and end sessions."""

import structlog

from understudy.access.accounts.browser_name import name_browser
from understudy.access.accounts.people import normalize_name
from understudy.access.accounts.sign_in import NewSession, SignIns
from understudy.access.caller import Caller
from understudy.access.credentials.failed_attempts import FailedAttempts
from understudy.access.credentials.passwords import Passwords
from understudy.access.credentials.secret_token import hash_token
from understudy.errors import AccountRefused, PasswordRefused, SessionNotFound
from understudy.models import BrowserSession, PrincipalKind, utc_now
from understudy.registry.access import principals, revision, sessions
from understudy.registry.database.database import Database
from understudy.schemas.access.session import SessionOut

log = structlog.get_logger()

# So many digits of a session's hash name it in lists; the hash cannot be turned back into the cookie.
SESSION_ID_DIGITS = 16


class OwnAccount:
    """Changes a caller's own password and sessions. Every method raises DatabaseUnavailable when the database fails."""

    def __init__(self, database: Database, passwords: Passwords, attempts: FailedAttempts, sign_ins: SignIns) -> None:
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._sign_ins = sign_ins

    async def change_password(
        self, caller: Caller, current: str, new: str, address: str, user_agent: str | None = None
    ) -> NewSession:
        """Set a new password, end all sessions of the person, and begin one for this browser.

        Raises AccountRefused for a caller without a password, PasswordRefused, and TooManyAttempts: a session that
        somebody else took over must not be a way to guess the password.
        """
        if caller.kind is not PrincipalKind.PERSON or caller.name is None or caller.principal_id is None:
            raise AccountRefused(
                f"{caller.name or 'This caller'} has no password.",
                remedy="Sign in with a name and a password first; an identity changes its password at its provider.",
            )
        login = normalize_name(caller.name)
        self._attempts.check(address, login)
        failures = self._attempts.record_failure(address, login)
        async with self._database.read() as session:
            person = await principals.find(session, caller.principal_id)
        stored = None if person is None else person.password_hash
        if not await self._passwords.check(current, stored):
            log.warning("password not changed", user=caller.name, address=address, failures=failures)
            raise PasswordRefused(
                "The current password is wrong.",
                remedy="Type it again. An admin can set a new one: `understudy users password NAME`.",
            )
        self._attempts.record_success(address, login)
        new_hash = await self._passwords.hash(new)
        async with self._database.write() as session:
            changed = await principals.find(session, caller.principal_id)
            if changed is None or changed.disabled_at is not None or changed.password_hash != stored:
                raise PasswordRefused("The account was changed meanwhile.", remedy="Sign in again, then try again.")
            changed.password_hash = new_hash
            await sessions.delete_of(session, caller.principal_id)
            begun = await self._sign_ins.begin(session, caller.principal_id, user_agent)
            await revision.advance(session)
        log.info("password changed", user=caller.name, address=address)
        return begun

    async def list_sessions(self, caller: Caller, token: str | None) -> list[SessionOut]:
        """Return the caller's sessions that have not ended, newest first. `token` is the cookie of this request."""
        if caller.principal_id is None:
            return []
        async with self._database.read() as session:
            rows = await sessions.list_of(session, caller.principal_id)
        current = None if token is None else hash_token(token)
        return [_to_answer(row, current) for row in rows if self._sign_ins.find_end(row) > utc_now()]

    async def end_session(self, caller: Caller, session_id: str) -> None:
        """End one session of the caller. Raises SessionNotFound."""
        async with self._database.write() as session:
            rows = [] if caller.principal_id is None else await sessions.list_of(session, caller.principal_id)
            found = next((row for row in rows if row.session_hash[:SESSION_ID_DIGITS] == session_id), None)
            if found is None:
                raise SessionNotFound("There is no such session of yours.")
            await sessions.delete(session, found.session_hash)
            await revision.advance(session)


def _to_answer(row: BrowserSession, current_hash: str | None) -> SessionOut:
    return SessionOut(
        session_id=row.session_hash[:SESSION_ID_DIGITS],
        browser=name_browser(row.user_agent),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        is_current=row.session_hash == current_hash,
    )
