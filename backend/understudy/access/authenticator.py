"""Finds out who sends a request, and whether the server asks at all."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import LRUCache

from understudy.access.caller import NO_LIMITS, Caller, Limits
from understudy.access.credentials.credential import Credential
from understudy.access.credentials.secret_token import find_prefix, hash_token, is_same
from understudy.access.tokens.bearer_tokens import BearerTokens
from understudy.access.tokens.identities import find_or_add_identity
from understudy.access.tokens.token_verifier import TokenFacts
from understudy.errors import DatabaseUnavailable, IssuerUnavailable, NotSignedIn
from understudy.models import Principal, PrincipalKind, utc_now
from understudy.registry.access import keys, principals, revision, sessions
from understudy.registry.access.revision import AccessFacts
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.schemas.access.role import Role
from understudy.settings import Settings

# A caller is looked up again after this time, so that SQL typed by hand counts too; changes by commands count at once.
_TRUST_SECONDS = 30.0
# While the database does not answer, callers that it knew stay known for this time: predictions go on.
_OUTAGE_SECONDS = 900.0
_MOST_CALLERS = 10_000
# Uses are written together, and not on the way of a request.
_WRITE_USES_SECONDS = 30.0


@dataclass(frozen=True)
class _Known:
    """A caller, until when their credential holds (UTC), and when that was looked up."""

    caller: Caller
    holds_until: datetime | None
    looked_up: float


class Authenticator:
    """Knows the callers of this process. `refresh` notices the changes that other processes made."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        tokens: BearerTokens,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._always_required = settings.needs_accounts or tokens.is_enabled or settings.oidc_issuer is not None
        self._idle = timedelta(seconds=settings.session_idle_seconds)
        self._facts: AccessFacts | None = None
        self._known: LRUCache[str, _Known] = LRUCache(_MOST_CALLERS)
        self._changes = 0
        self._used_keys: dict[int, datetime] = {}
        self._used_sessions: dict[str, datetime] = {}
        self._wrote_uses = clock()

    @property
    def is_required(self) -> bool:
        """Return whether callers must say who they are. Without accounts on loopback, everybody may do everything."""
        return self._always_required or self._facts is None or self._facts.has_accounts

    async def refresh(self) -> None:
        """Read whether accounts have changed, and forget the callers then. Raises DatabaseUnavailable."""
        async with self._database.read(Use.OWN) as session:
            facts = await revision.read(session)
        if facts != self._facts:
            self._facts = facts
            self._changes += 1
            self._known.clear()

    async def identify(self, credential: Credential, *, is_use: bool = True) -> Caller:
        """Return who shows the credential; `is_use` keeps a browser's session from ending unused.

        Raises NotSignedIn, DatabaseUnavailable and, for a token, IssuerUnavailable.
        """
        secret_hash = hash_token(credential.token)
        known = self._known.get(secret_hash)
        age = self._clock() - known.looked_up if known is not None else 0.0
        holds = known is not None and (known.holds_until is None or known.holds_until > utc_now())
        if known is None or not holds or age > _TRUST_SECONDS:
            changes = self._changes
            try:
                known = await self._look_up(credential, secret_hash)
            except (DatabaseUnavailable, IssuerUnavailable):
                if known is None or not holds or age > _OUTAGE_SECONDS:
                    raise
                return known.caller
            if changes == self._changes:  # else what was read may be from before the change
                self._known[secret_hash] = known
        if is_use:
            self._note_use(known.caller, secret_hash)
        return known.caller

    async def write_uses(self) -> None:
        """Record, now and then, when keys and sessions were used last. Raises DatabaseUnavailable."""
        if self._clock() - self._wrote_uses < _WRITE_USES_SECONDS or not (self._used_keys or self._used_sessions):
            return
        used_keys, self._used_keys = self._used_keys, {}
        used_sessions, self._used_sessions = self._used_sessions, {}
        self._wrote_uses = self._clock()
        async with self._database.write(Use.OWN) as session:
            for principal_id, at in used_keys.items():
                await keys.note_use(session, principal_id, at)
            for session_hash, at in used_sessions.items():
                await sessions.note_use(session, session_hash, at)

    def _note_use(self, caller: Caller, secret_hash: str) -> None:
        if caller.by_session:
            self._used_sessions[secret_hash] = utc_now()
        elif caller.kind is PrincipalKind.KEY and caller.principal_id is not None:
            self._used_keys[caller.principal_id] = utc_now()

    async def _look_up(self, credential: Credential, secret_hash: str) -> _Known:
        began = self._clock()
        if credential.is_session:
            return _Known(*await self._find_session(secret_hash), began)
        if (prefix := find_prefix(credential.token)) is not None:
            return _Known(*await self._find_key(prefix, secret_hash), began)
        if self._tokens.is_enabled:
            return _Known(*await self._find_identity(await self._tokens.verify(credential.token)), began)
        raise NotSignedIn("This is not a key of this server.")

    async def _find_session(self, session_hash: str) -> tuple[Caller, datetime]:
        async with self._database.read(Use.MANAGE) as session:
            found = await sessions.find(session, session_hash)
        if found is None:
            raise NotSignedIn("The session has ended.", remedy="Sign in again.")
        person, row = found
        last_seen = max(row.last_seen_at, self._used_sessions.get(session_hash, row.last_seen_at))
        until = min(row.expires_at, last_seen + self._idle)
        if until <= utc_now():
            raise NotSignedIn("The session has expired.", remedy="Sign in again.")
        return _build_caller(person, by_session=True), until

    async def _find_key(self, prefix: str, secret_hash: str) -> tuple[Caller, datetime | None]:
        async with self._database.read(Use.MANAGE) as session:
            found = await keys.find_prefix(session, prefix)
        if not is_same(found[1].secret_hash if found else "", secret_hash) or found is None:
            raise NotSignedIn("There is no such key.")
        principal, key = found
        if key.revoked_at is not None:
            raise NotSignedIn(f"The key {prefix} was revoked.")
        if key.expires_at is not None and key.expires_at <= utc_now():
            raise NotSignedIn(f"The key {prefix} has expired.")
        limits = Limits(key.requests_per_second, key.concurrent_requests)
        return _build_caller(principal, source=key.source, limits=limits), key.expires_at

    async def _find_identity(self, facts: TokenFacts) -> tuple[Caller, datetime]:
        """Return the identity; on first sight it gets an id of its own, for `created_by_user_id`."""
        async with self._database.read(Use.MANAGE) as session:
            found = await principals.find_subject(session, facts.issuer, facts.subject)
        if found is None or found.role != facts.role or found.name != facts.name:
            async with self._database.write() as session:
                found = await find_or_add_identity(session, facts)
        return _build_caller(found), facts.expires_at


def _build_caller(
    principal: Principal, *, source: str | None = None, by_session: bool = False, limits: Limits = NO_LIMITS
) -> Caller:
    """Return the caller. Raises NotSignedIn for a disabled account."""
    if principal.disabled_at is not None:
        raise NotSignedIn("The account is disabled.", remedy="Ask an admin: `understudy users enable NAME`.")
    return Caller(
        kind=PrincipalKind(principal.kind),
        principal_id=principal.principal_id,
        name=principal.name,
        role=None if principal.role is None else Role(principal.role),
        source=source,
        by_session=by_session,
        limits=limits,
    )
