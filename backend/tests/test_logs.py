"""Logging never raises and never stops the process, whatever becomes of standard error."""

import io
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from understudy import logs
from understudy.logs import LogStream, configure_logs


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end of a pipe as a descriptor, and the writing end as a text stream."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w")
    yield reading, stream
    os.close(reading)
    stream.close()


def test_a_line_arrives_whole_however_long_it_is(pipe: tuple[int, TextIO]) -> None:
    reading, writing = pipe
    received: list[bytes] = []
    text = "é" * 100_000 + "\n"

    def read() -> None:
        while not received or not received[-1].endswith(b"\n"):
            received.append(os.read(reading, 1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    stream = LogStream(writing)
    stream.write(text)
    reader.join(timeout=30)
    assert b"".join(received).decode() == text
    assert stream.lost == 0


def test_a_reader_that_has_ended_costs_lines_and_nothing_else() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        log = LogStream(stream)
        for _ in range(3):
            log.write("line\n")
        assert log.lost == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe is Linux's")
def test_a_reader_that_stands_still_does_not_stop_the_process(pipe: tuple[int, TextIO]) -> None:
    reading, writing = pipe
    log = LogStream(writing)
    began = time.monotonic()
    for _ in range(100):
        log.write("x" * 4095 + "\n")
    assert time.monotonic() - began < 5
    assert log.lost > 50
    os.set_blocking(reading, False)
    with suppress(BlockingIOError):
        while os.read(reading, 1 << 16):
            pass
    lost = log.lost
    log.write("again\n")
    assert log.lost == lost


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    with Path("/dev/full").open("w") as full:
        log = LogStream(full)
        log.write("line\n")
        assert log.lost == 1


def test_a_process_without_standard_error_logs_nothing() -> None:
    log = LogStream(None)
    log.write("line\n")
    assert log.lost == 1
    closed = io.StringIO()
    closed.close()
    log = LogStream(closed)
    log.write("line\n")
    assert log.lost == 1


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize("log_format", ["json", "human"])
def test_a_value_that_cannot_be_written_does_not_raise(log_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs(log_format, "info")
    structlog.get_logger().info("something happened", value=Unprintable())
    assert "something happened" in stream.getvalue()
    assert logs.count_lost_lines() == 0


def test_lines_of_libraries_have_the_form_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("json", "info")
    library = logging.getLogger("some.library")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of the tests' own runner
    try:
        int("no number")
    except ValueError:
        library.exception("a connection %s", "ended")
    [line] = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["logger"]) == ("a connection ended", "error", "some.library")
    assert entry["exception"].startswith("Traceback")
    assert entry["exception"].endswith("'no number'")


def test_logging_is_configured_without_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    configure_logs("auto", "info")
    structlog.get_logger().error("nobody reads this")
    assert logs.count_lost_lines() == 1
