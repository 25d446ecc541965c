"""No transaction waits for longer than its deadline, whatever the network, the server or another writer does."""

import asyncio
import inspect
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.faults import TcpProxy
from tests.postgres import ByHand, needs_direct, only_postgresql
from understudy.errors import DatabaseBusy, DatabaseUnavailable, OutcomeUnknown
from understudy.registry import schema
from understudy.registry.database import notifications
from understudy.registry.database.database import Database
from understudy.registry.database.dialects import postgres
from understudy.registry.database.slots import Slots, Use
from understudy.registry.deployment import desired_state
from understudy.settings import Settings

pytestmark = [pytest.mark.anyio, needs_direct]

SECONDS = 0.6
# More than a deadline, the connection's own ping and a slow machine take; less than any default of driver or system.
SOON = 5.0


@pytest.fixture
def proxied(settings: Settings, proxied_url: str) -> Settings:
    """Settings of an instance that reaches its database through the postgres_proxy."""
    return Settings(home=settings.home, database_url=proxied_url, database_seconds=SECONDS, database_connections=4)


@pytest.fixture
async def remote(proxied: Settings) -> AsyncIterator[Database]:
    async with Database(proxied) as database:
        await schema.migrate(database)
        yield database


async def _read(database: Database, *, seconds: float | None = None) -> int:
    async with database.read(seconds=seconds) as session:
        return (await desired_state.poll(session)).generation


async def _count_generation(database: Database, *, seconds: float | None = None) -> None:
    async with database.write(seconds=seconds) as session:
        await session.execute(text("UPDATE understudy_stage SET generation = generation + 1"))


@pytest.mark.postgres
async def test_a_transaction_over_a_connection_that_goes_silent_ends_at_its_deadline(
    remote: Database, postgres_proxy: TcpProxy
) -> None:
    async def write() -> None:
        async with remote.write() as session:
            postgres_proxy.silence()
            await desired_state.poll(session)

    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match=r"did not answer within 0\.6 s"):
        await write()
    assert time.monotonic() - started < SOON
    postgres_proxy.resume()
    assert await _read(remote, seconds=SOON) == 0


@pytest.mark.postgres
async def test_everything_ends_at_its_deadline_while_the_network_is_silent_and_goes_on_afterwards(
    remote: Database, postgres_proxy: TcpProxy
) -> None:
    await asyncio.gather(*(_read(remote, seconds=SOON) for _ in range(4)))  # connections that are known to the pool
    postgres_proxy.silence()
    started = time.monotonic()
    calls = [_read(remote) for _ in range(6)] + [_count_generation(remote) for _ in range(6)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert time.monotonic() - started < SOON
    assert {isinstance(each, DatabaseUnavailable) for each in outcomes} == {True}
    postgres_proxy.resume()
    assert await _read(remote, seconds=SOON) == 0
    await _count_generation(remote, seconds=SOON)
    assert await _read(remote, seconds=SOON) == 1


@pytest.mark.postgres
async def test_a_silent_connection_of_the_pool_is_replaced_without_an_error(
    proxied: Settings, postgres_proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall that forgot a connection while it was idle."""
    monkeypatch.setattr(postgres, "_PING_SECONDS", 0.1)
    async with Database(Settings.model_copy(proxied, update={"database_seconds": SOON})) as database:
        await schema.migrate(database)
        postgres_proxy.silence()
        reading = asyncio.create_task(_read(database))
        while postgres_proxy.accepted < 2:  # the ping has failed, and a second connection is opened
            await asyncio.sleep(0.01)
        postgres_proxy.resume()
        assert await reading == 0


@pytest.mark.postgres
async def test_a_commit_whose_answer_is_lost_may_have_been_done(remote: Database, postgres_proxy: TcpProxy) -> None:
    postgres_proxy.lose_answer(b"COMMIT\0")
    with pytest.raises(OutcomeUnknown, match="may have been done"):
        await _count_generation(remote)
    assert await _read(remote, seconds=SOON) == 1


@pytest.mark.postgres
async def test_a_commit_that_is_not_answered_in_time_may_have_been_done(
    remote: Database, postgres_proxy: TcpProxy
) -> None:
    async def write() -> None:
        async with remote.write() as session:
            await session.execute(text("UPDATE understudy_stage SET generation = 7"))
            postgres_proxy.silence()

    with pytest.raises(OutcomeUnknown, match="may have been done"):
        await write()
    postgres_proxy.cut()
    postgres_proxy.resume()
    assert await _read(remote, seconds=SOON) == 0  # the request itself was lost here


@pytest.mark.postgres
async def test_the_server_gives_up_a_transaction_whose_client_fell_silent(
    remote: Database, postgres_proxy: TcpProxy, postgres_url: str
) -> None:
    """The lock that every switch takes must not stay with a client that nobody hears from any more."""

    async def lock() -> None:
        async with remote.write() as session:
            await desired_state.lock(session)
            postgres_proxy.silence()
            await desired_state.poll(session)

    with pytest.raises(DatabaseUnavailable):
        await lock()
    direct = Settings(home=Path("unused"), database_url=postgres_url, database_seconds=SOON)
    async with Database(direct) as other, other.write() as session:
        await desired_state.lock(session)  # the proxy still holds the first client's connection open


@pytest.mark.postgres
async def test_a_pool_without_a_free_connection_says_so_and_serves_management_and_itself(
    proxied: Settings, postgres_proxy: TcpProxy
) -> None:
    async with Database(proxied) as database:
        await schema.migrate(database)
        held, release = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            async with database.read(seconds=SOON) as session:
                await desired_state.poll(session)
                held.set()
                await release.wait()

        holding = asyncio.create_task(hold())  # all that requests may use of four connections
        await held.wait()
        with pytest.raises(DatabaseBusy, match=r"no connection or lock became free within 0\.6 s"):
            await _read(database)
        await _count_generation(database, seconds=SOON)
        async with database.read(Use.OWN, seconds=SOON) as session:
            assert (await desired_state.poll(session)).generation == 1
        release.set()
        await holding


async def test_each_use_leaves_connections_for_the_more_urgent_ones() -> None:
    slots = Slots(5)
    taken: list[Use] = []

    async def take(use: Use) -> None:
        async with slots.take(use):
            taken.append(use)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(take(use)) for use in (Use.READ, Use.MANAGE, Use.OWN) for _ in range(9)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [taken.count(use) for use in (Use.READ, Use.MANAGE, Use.OWN)] == [2, 2, 1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_writers_behind_a_lock_share_one_deadline(settings: Settings) -> None:
    """Each waited for the whole time again before, one after the other."""
    async with Database(Settings(home=settings.home, database_seconds=SECONDS)) as database:
        await schema.migrate(database)
        with closing(sqlite3.connect(settings.var_dir / "understudy.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            started = time.monotonic()
            outcomes = await asyncio.gather(*(_count_generation(database) for _ in range(5)), return_exceptions=True)
            assert time.monotonic() - started < 4 * SECONDS
            assert {type(each) for each in outcomes} == {DatabaseBusy}
            other.execute("COMMIT")
        await _count_generation(database, seconds=SOON)
        assert await _read(database, seconds=SOON) == 1


@only_postgresql
async def test_a_lock_of_another_session_ends_at_the_deadline(database_settings: Settings, by_hand: ByHand) -> None:
    settings = Settings.model_copy(database_settings, update={"database_seconds": SECONDS})
    async with Database(settings) as database:
        await schema.migrate(database)
        async with await psycopg.AsyncConnection.connect(settings.database_url or "") as other:
            await other.execute("LOCK TABLE understudy_stage")
            started = time.monotonic()
            with pytest.raises(DatabaseBusy, match="lock timeout"):
                await _count_generation(database)
            with pytest.raises(DatabaseUnavailable, match="did not answer"):
                await _read(database)
            assert time.monotonic() - started < SOON
        assert await _read(database, seconds=SOON) == 0


async def test_an_error_of_the_block_and_a_cancellation_stay_what_they_are(settings: Settings) -> None:
    async with Database(settings) as database:
        await schema.migrate(database)

        async def fail(error: BaseException) -> None:
            async with database.read():
                raise error

        with pytest.raises(TimeoutError, match="of the block"):
            await fail(TimeoutError("of the block"))
        with pytest.raises(asyncio.CancelledError):
            await fail(asyncio.CancelledError())


@pytest.mark.postgres
async def test_the_listener_replaces_a_connection_that_went_silent(
    proxied: Settings, remote: Database, postgres_proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    monkeypatch.setattr(notifications, "_PING_SECONDS", 0.1)
    monkeypatch.setattr(notifications, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(postgres, "_PING_SECONDS", 0.2)
    accepted = postgres_proxy.accepted
    async with (
        aclosing(notifications.watch_changes(proxied)) as changes,
        await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as other,
        asyncio.timeout(30),
    ):
        waiting = asyncio.ensure_future(anext(changes))
        while postgres_proxy.accepted == accepted:
            await asyncio.sleep(0.01)
        postgres_proxy.silence()
        accepted = postgres_proxy.accepted
        while postgres_proxy.accepted == accepted:  # it is replaced by a connection that gets no answer either
            await asyncio.sleep(0.01)
        postgres_proxy.cut()
        postgres_proxy.resume()
        while not waiting.done():
            await other.execute("SELECT pg_notify('understudy_stage', '1')")
            await asyncio.sleep(0.02)


def test_the_driver_has_the_members_that_are_replaced() -> None:
    assert list(inspect.signature(psycopg.AsyncConnection.wait).parameters) == ["self", "gen", "interval", "timeout"]
    assert inspect.iscoroutinefunction(psycopg.AsyncConnection.rollback)
    assert list(inspect.signature(psycopg.waiting.wait_async).parameters) == ["gen", "fileno", "interval", "timeout"]


@pytest.mark.parametrize("query", ["", "?tcp_user_timeout=1&connect_timeout=9"])
def test_an_option_of_the_address_stays_as_it_is(query: str) -> None:
    from sqlalchemy import make_url

    options = postgres.build_options(make_url(f"postgresql://h/db{query}"), 10.0)
    assert options["keepalives_idle"] == 10
    assert options.get("tcp_user_timeout") == (None if query else 10_000)
    assert options.get("connect_timeout") == (None if query else 5)
