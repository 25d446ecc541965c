"""Messages arrive whole, in order and with their descriptors; what is not one ends the channel."""

import asyncio
import os

import pytest

from understudy.engine.wire.channel import (
    MAX_INLINE,
    Channel,
    Frame,
    ProtocolError,
    create_pair,
    receive_frames,
    send_frame,
)
from understudy.engine.wire.content import pack, unpack
from understudy.engine.wire.refusals import to_error
from understudy.errors import ModelNotFound, NotAudio, UnderstudyError
from understudy.schemas.server.problem import Problem

pytestmark = pytest.mark.anyio


async def test_messages_arrive_in_order_where_the_reader_is_slow() -> None:
    frames: list[Frame] = []
    ours, theirs = create_pair()
    sender = Channel(ours, frames.append, lambda _: None)
    for number in range(50):
        content = pack([bytes([number]) * (MAX_INLINE + number % 2)])
        sender.send(str(number).encode(), content.payload, content.descriptors)
        content.close()
    receiver = Channel(theirs, frames.append, lambda _: None)
    async with asyncio.timeout(10):
        while len(frames) < 50:
            await asyncio.sleep(0.01)
    assert [frame.head for frame in frames] == [str(number).encode() for number in range(50)]
    assert [unpack(frame, 1 << 20)[:1] for frame in frames] == [bytes([number]) for number in range(50)]
    sender.close()
    receiver.close()


async def test_what_arrived_is_dealt_with_before_all_that_waits_is_read() -> None:
    """Else the descriptors of what waits would use up those of the process."""
    held: list[Frame] = []
    most = closed = 0

    async def close(frame: Frame) -> None:
        nonlocal closed
        held.remove(frame)
        frame.close()
        closed += 1

    def take(frame: Frame) -> None:
        nonlocal most
        held.append(frame)
        most = max(most, len(held))
        tasks.add(asyncio.create_task(close(frame)))

    tasks: set[asyncio.Task[None]] = set()
    ours, theirs = create_pair()
    content = pack([bytes(MAX_INLINE + 1)])
    for _ in range(100):
        send_frame(ours, b"{}", content.descriptors)
    content.close()
    receiver = Channel(theirs, take, lambda _: None)
    async with asyncio.timeout(10):
        while closed < 100:
            await asyncio.sleep(0)
    assert most <= 40
    receiver.close()
    ours.close()


async def test_the_first_message_of_a_turn_travels_at_once_and_the_others_in_one_packet_up_to_its_size() -> None:
    frames: list[Frame] = []
    ours, theirs = create_pair()
    sender = Channel(ours, frames.append, lambda _: None)
    for size in (5, 5, MAX_INLINE // 2 + 1):
        for number in range(4):
            sender.send(b"%d" % number, bytes(size))
        [alone] = receive_frames(theirs, bytearray(1 << 18))
        assert (alone.head, len(alone.payload)) == (b"0", size)
        await asyncio.sleep(0)
        if size == 5:
            assert [frame.head for frame in receive_frames(theirs, bytearray(1 << 18))] == [b"1", b"2", b"3"]
    first, second = (receive_frames(theirs, bytearray(1 << 18)) for _ in range(2))
    assert [frame.head for frame in first] == [b"1", b"2"]
    assert [(frame.head, len(frame.payload)) for frame in second] == [(b"3", MAX_INLINE // 2 + 1)]
    sender.close()
    theirs.close()


async def test_descriptors_arrive_with_their_own_message() -> None:
    ours, theirs = create_pair()
    sender = Channel(ours, lambda _: None, lambda _: None)
    content = pack([bytes(MAX_INLINE + 1)])
    sender.send(b"before")
    sender.send(b"with", descriptors=content.descriptors)
    content.close()
    sender.send(b"after")
    sender.close()
    [before] = receive_frames(theirs, bytearray(1 << 18))
    [own] = receive_frames(theirs, bytearray(1 << 18))
    [after] = receive_frames(theirs, bytearray(1 << 18))
    assert [before.descriptors, after.descriptors] == [[], []]
    assert len(unpack(own, 1 << 20)) == MAX_INLINE + 1
    theirs.close()


@pytest.mark.parametrize(
    "packet",
    [
        b"\xff\xff\xff\x7f\0\0\0\0short",
        b"\1\0\0\0\xff\0\0\0short",
        b"\1\0\0\0\0\0\0\0a\2\0\0\0\0\0\0\0b",
        b"\0\0\0\0",
    ],
    ids=["document", "bytes behind it", "second message", "lengths"],
)
async def test_a_message_that_is_not_whole_ends_the_channel(packet: bytes) -> None:
    closed: asyncio.Future[ProtocolError | None] = asyncio.get_running_loop().create_future()
    ours, theirs = create_pair()
    frames: list[Frame] = []
    Channel(ours, frames.append, closed.set_result)
    theirs.send(packet)
    async with asyncio.timeout(10):
        assert isinstance(await closed, ProtocolError)
    assert not frames
    theirs.close()


def test_content_is_refused_where_it_is_too_long_or_no_file() -> None:
    with pytest.raises(ProtocolError, match="are allowed"):
        unpack(Frame(b"", b"", pack([bytes(MAX_INLINE + 1)]).descriptors), MAX_INLINE)
    pipe, other = os.pipe()
    os.close(other)
    with pytest.raises(ProtocolError):
        unpack(Frame(b"", b"", [pipe]), MAX_INLINE)


def test_a_worker_may_send_only_errors_of_recordings_and_models() -> None:
    assert isinstance(to_error(Problem.from_error(NotAudio("x"))), NotAudio)
    assert type(to_error(Problem.from_error(ModelNotFound("x")))) is UnderstudyError
