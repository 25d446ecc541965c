"""Callers are looked up once, changes count at once, and an outage of the database stops nobody who was known."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.access.access import Access
from understudy.access.authenticator import Authenticator
from understudy.access.credentials.credential import Credential
from understudy.access.tokens.bearer_tokens import BearerTokens
from understudy.errors import DatabaseUnavailable, NotSignedIn, UnsafeBinding
from understudy.models import AccessKey, utc_now
from understudy.registry.database.database import Database
from understudy.registry.database.slots import Use
from understudy.schemas.access.account import KeyCreate
from understudy.schemas.access.role import Role
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"  # noqa: S105


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class SwitchedDatabase(Database):
    """A database that can be out, and counts its readers."""

    out = False
    reads = 0

    @asynccontextmanager
    async def read(self, use: Use = Use.READ, *, seconds: float | None = None) -> AsyncIterator[AsyncSession]:
        if self.out:
            raise DatabaseUnavailable("The database is out.")
        self.reads += 1
        async with super().read(use, seconds=seconds) as session:
            yield session


@pytest.fixture
async def switched(cheap_settings: Settings, database: Database) -> AsyncIterator[SwitchedDatabase]:
    async with SwitchedDatabase(cheap_settings) as switched:
        yield switched


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def authenticator(cheap_settings: Settings, switched: SwitchedDatabase, clock: Clock) -> Authenticator:
    authenticator = Authenticator(cheap_settings, switched, BearerTokens(cheap_settings), clock)
    await authenticator.refresh()
    return authenticator


async def make_key(access: Access, name: str = "key") -> Credential:
    return Credential((await access.keys.create(KeyCreate(name=name, role=Role.VIEWER), by="test")).key)


async def test_access_is_open_until_there_is_an_account_and_again_when_the_last_one_is_gone(access: Access) -> None:
    assert not access.authenticator.is_required
    made = await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    await access.refresh()
    assert access.authenticator.is_required
    await access.people.remove(made.principal_id, by="test")
    await access.refresh()
    assert not access.authenticator.is_required


async def test_an_id_is_never_given_twice(access: Access) -> None:
    first = await access.people.add("ada", Role.ADMIN, PASSWORD, by="test")
    await access.people.remove(first.principal_id, by="test")
    assert (await access.people.add("eve", Role.ADMIN, PASSWORD, by="test")).principal_id > first.principal_id


@pytest.mark.parametrize("role", list(Role)[:3])
async def test_another_address_needs_an_admin(cheap_settings: Settings, database: Database, role: Role) -> None:
    access = Access(cheap_settings.model_copy(update={"host": "0.0.0.0"}), database)  # noqa: S104
    assert access.authenticator.is_required
    await access.people.add("ada", role, PASSWORD, by="test")
    with pytest.raises(UnsafeBinding, match="no admin") as refused:
        await access.start()
    for command in ("understudy users add NAME --role admin", "understudy serve --host 127.0.0.1"):
        assert command in refused.value.remedy
    await access.people.add("eve", Role.ADMIN, PASSWORD, by="test")
    await access.start()


async def test_permission_for_an_open_address_ends_with_the_first_account(
    cheap_settings: Settings, database: Database
) -> None:
    update = {"host": "0.0.0.0", "allow_unauthenticated": True}  # noqa: S104
    access = Access(cheap_settings.model_copy(update=update), database)
    await access.start()
    assert not access.authenticator.is_required
    await make_key(access)
    await access.refresh()
    assert access.authenticator.is_required


async def test_a_known_caller_costs_no_question_to_the_database(
    access: Access, authenticator: Authenticator, switched: SwitchedDatabase, clock: Clock
) -> None:
    key = await make_key(access)
    await authenticator.identify(key)
    reads = switched.reads
    for _ in range(10):
        assert (await authenticator.identify(key)).name == "key"
    assert switched.reads == reads
    clock.now += 31
    await authenticator.identify(key)
    assert switched.reads == reads + 1


async def test_a_known_caller_stays_known_while_the_database_is_out(
    access: Access, authenticator: Authenticator, switched: SwitchedDatabase, clock: Clock
) -> None:
    key, unknown = await make_key(access), await make_key(access, "unknown")
    await authenticator.identify(key)
    switched.out = True
    clock.now += 899
    assert (await authenticator.identify(key)).name == "key"
    with pytest.raises(DatabaseUnavailable):
        await authenticator.identify(unknown)
    clock.now += 2
    with pytest.raises(DatabaseUnavailable):
        await authenticator.identify(key)


async def test_a_change_by_hand_counts_within_half_a_minute(
    access: Access, authenticator: Authenticator, database: Database, clock: Clock
) -> None:
    key = await make_key(access)
    await authenticator.identify(key)
    async with database.write() as session:
        await session.execute(text("UPDATE understudy_principals SET disabled_at = '2026-01-01 00:00:00'"))
    clock.now += 31
    with pytest.raises(NotSignedIn, match="disabled"):
        await authenticator.identify(key)


async def test_what_was_read_before_a_change_is_not_kept(
    access: Access, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is revoked while its caller is looked up: the answer from before must not be trusted for 30 s."""
    key = await make_key(access)
    look_up = authenticator._look_up

    async def revoke_meanwhile(credential: Credential, secret_hash: str) -> object:
        found = await look_up(credential, secret_hash)
        await access.keys.revoke("key", by="test")
        await authenticator.refresh()
        return found

    monkeypatch.setattr(authenticator, "_look_up", revoke_meanwhile)
    await authenticator.identify(key)
    monkeypatch.setattr(authenticator, "_look_up", look_up)
    with pytest.raises(NotSignedIn, match="revoked"):
        await authenticator.identify(key)


async def test_the_last_use_of_a_key_is_written_now_and_then(
    access: Access, authenticator: Authenticator, database: Database, clock: Clock
) -> None:
    key = await make_key(access)
    await authenticator.identify(key)
    await authenticator.write_uses()
    async with database.read() as session:
        assert (await session.scalars(select(AccessKey.last_used_at))).one() is None
    clock.now += 31
    await authenticator.write_uses()
    async with database.read() as session:
        used = (await session.scalars(select(AccessKey.last_used_at))).one()
    assert used is not None
    assert utc_now() - used < timedelta(seconds=60)
