"""The access control of one process: who may use it, and the streams that are open."""

import asyncio

import structlog

from understudy.access.accounts.machine_keys import MachineKeys
from understudy.access.accounts.own_account import OwnAccount
from understudy.access.accounts.people import People
from understudy.access.accounts.sign_in import SignIns
from understudy.access.authenticator import Authenticator
from understudy.access.credentials.failed_attempts import FailedAttempts
from understudy.access.credentials.passwords import Passwords
from understudy.access.oidc.sign_ins import OidcSignIns
from understudy.access.open_streams import OpenStreams
from understudy.access.request_limits import RequestLimits
from understudy.access.tokens.bearer_tokens import BearerTokens
from understudy.errors import DatabaseUnavailable, UnsafeBinding
from understudy.registry.database.database import Database
from understudy.settings import Settings

log = structlog.get_logger()

# Revoked keys and sessions lose their open streams within a second.
_LOOK_SECONDS = 0.4


class Access:
    """The use-cases of access, and the watch over changes that other processes make."""

    def __init__(self, settings: Settings, database: Database) -> None:
        passwords = Passwords(settings)
        self._settings = settings
        self.attempts = FailedAttempts()
        self.people = People(database, passwords)
        self.keys = MachineKeys(database)
        self.sign_ins = SignIns(settings, database, passwords, self.attempts)
        self.own_account = OwnAccount(database, passwords, self.attempts, self.sign_ins)
        self.oidc = OidcSignIns(settings, database, self.sign_ins, self.attempts)
        self.authenticator = Authenticator(settings, database, BearerTokens(settings))
        self.limits = RequestLimits(settings)
        self.streams = OpenStreams(self.authenticator)

    async def start(self) -> None:
        """Read who may use the server. Raises UnsafeBinding where other machines reach it and nobody is an admin."""
        self.oidc.load()
        await self.authenticator.refresh()
        if self._settings.needs_accounts and await self.people.count_admins() == 0:
            way = " by UNDERSTUDY_TRUSTED_PROXIES" if self._settings.trusted_proxies else ""
            raise UnsafeBinding(f"Other machines can reach {self._settings.host}{way}, and there is no admin.")

    async def refresh(self) -> None:
        """Let changes count at once in this process. Raises DatabaseUnavailable."""
        await self.authenticator.refresh()
        await self.streams.check()

    async def watch(self) -> None:
        """Notice changes and record uses, until the task is cancelled. The supervisor starts it again if it fails."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.refresh()
                await self.authenticator.write_uses()
            except DatabaseUnavailable as error:
                log.debug("access not read", code=error.code)  # the reconciler logs the outage
