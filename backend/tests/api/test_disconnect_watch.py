"""Work whose client has gone is cancelled."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from understudy.api.disconnect_watch import DisconnectWatch

pytestmark = pytest.mark.anyio


class Connection:
    """The receiving side of a request whose body was read."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.asked = asyncio.Event()

    async def receive(self) -> Message:
        self.asked.set()
        return await self.messages.get()


async def test_work_is_cancelled_when_the_client_goes() -> None:
    connection = Connection()
    connection.messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    connection.messages.put_nowait({"type": "http.disconnect"})
    ended = asyncio.Event()

    async def work() -> None:
        async with DisconnectWatch(connection.receive):
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    with pytest.raises(ClientDisconnect):
        await work()
    assert ended.is_set()
    await asyncio.sleep(0)  # the task itself goes on
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_short_work_reads_nothing() -> None:
    connection = Connection()
    async with DisconnectWatch(connection.receive):
        await asyncio.sleep(0)
    assert not connection.asked.is_set()


async def test_the_watch_ends_with_the_work() -> None:
    connection = Connection()
    async with DisconnectWatch(connection.receive):
        await connection.asked.wait()
    connection.messages.put_nowait({"type": "http.disconnect"})
    await asyncio.sleep(0)
    assert connection.messages.qsize() == 1


async def test_another_cancellation_stays_one() -> None:
    connection = Connection()

    async def work() -> None:
        async with DisconnectWatch(connection.receive):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await connection.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        async with DisconnectWatch(Connection().receive):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await work()
