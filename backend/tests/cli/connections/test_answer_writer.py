"""The head of an answer travels with its first bytes, and alone where none follow at once."""

import asyncio
from typing import cast

import pytest

from understudy.cli.connections.answer_writer import AnswerWriter

pytestmark = pytest.mark.anyio


class RecordingTransport:
    """Keeps what one call hands to the kernel as one entry."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        self.writes.append(b"".join(parts))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def create_writer(transport: RecordingTransport) -> AnswerWriter:
    return AnswerWriter(cast("asyncio.Transport", transport), asyncio.get_running_loop())


async def test_head_and_body_are_one_write() -> None:
    transport = RecordingTransport()
    writer = create_writer(transport)
    writer.write(b"head ")
    assert transport.writes == []
    writer.write(b"body ")
    writer.write(b"rest")
    assert transport.writes == [b"head body ", b"rest"]
    await asyncio.sleep(0)
    assert transport.writes == [b"head body ", b"rest"]


async def test_a_head_whose_body_comes_later_is_written_before_it() -> None:
    transport = RecordingTransport()
    writer = create_writer(transport)
    writer.write(b"head")
    await asyncio.sleep(0)
    assert transport.writes == [b"head"]
    writer.write(b"body")
    assert transport.writes == [b"head", b"body"]


async def test_a_head_is_written_before_its_connection_closes() -> None:
    transport = RecordingTransport()
    writer = create_writer(transport)
    writer.write(b"head")
    writer.close()
    assert transport.writes == [b"head"]
    assert writer.is_closing()
