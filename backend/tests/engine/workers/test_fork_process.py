"""The process that forks workers may start before the server needs it, and is not left over."""

import os
from pathlib import Path

import pytest

from understudy.engine.wire.channel import receive_frames, send_frame
from understudy.engine.wire.fork_messages import Configuration, Started
from understudy.engine.workers.fork_process import ForkProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="worker processes are for Linux")


def test_a_process_is_taken_once_and_ends_with_its_channel() -> None:
    started = ForkProcess.start()
    assert (started.take(), started.take()) == (True, False)
    started.discard()  # not any more
    assert started.process.poll() is None
    started.end.close()
    assert started.process.wait(timeout=60) == 0


def test_a_process_that_nobody_took_is_ended() -> None:
    started = ForkProcess.start()
    started.discard()
    assert started.process.returncode is not None
    assert not started.take()


def test_a_process_that_has_ended_cannot_be_taken() -> None:
    started = ForkProcess.start()
    started.process.kill()
    started.process.wait(timeout=60)
    assert not started.take()
    started.end.close()


def test_a_named_backbone_that_cannot_be_loaded_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    started = ForkProcess.start(tmp_path / "broken.onnx")
    configuration = Configuration(
        parent=os.getpid(),
        memory_bytes=1 << 30,
        readable=(),
        backbone=tmp_path / "missing.onnx",
        max_audio_seconds=1.0,
        max_whole_clip_seconds=1.0,
        log_format="json",
        log_level="INFO",
    )
    with started.end:
        send_frame(started.end, configuration.model_dump_json().encode())
        started.end.settimeout(60)
        [frame] = receive_frames(started.end, bytearray(1 << 16))
    Started.model_validate_json(frame.head)
    assert started.process.wait(timeout=60) == 0
