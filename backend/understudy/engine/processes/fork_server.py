"""Runs as a process of its own: loads the libraries once, limits itself, and forks a worker for each request.

`python -m understudy.engine.processes.fork_server DESCRIPTOR [BACKBONE]`, where the descriptor is its end of a socket
pair. It loads the backbone while the server loads its own libraries. Workers share the memory of the libraries and of
the backbone with it.
"""

import asyncio
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from understudy.compiler.isolation import seccomp
from understudy.compiler.isolation.process_limits import die_with_parent
from understudy.engine.local_engine import ClipLimits
from understudy.engine.processes import walls
from understudy.engine.processes.step_page import StepPage
from understudy.engine.processes.worker_process import run_worker
from understudy.engine.wire.channel import receive_frames, send_frame
from understudy.engine.wire.fork_messages import Configuration, Exited, Forked, Started
from understudy.errors import UnderstudyError
from understudy.inference.clip_input.backbone import Backbone
from understudy.inference.clip_input.backbone_loading import load_backbone
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.logs import configure_logs

log = structlog.get_logger()

_POLL_MILLISECONDS = 200
_BUFFER_BYTES = 64 << 10


def main(descriptor: int, backbone: Path | None = None) -> None:
    """Serve until the other end is closed; `backbone` is what the configuration will probably name."""
    for each in (signal.SIGINT, signal.SIGTERM):  # a terminal and systemd send them to all processes of the server
        signal.signal(each, signal.SIG_IGN)  # the server's process decides when its workers end
    control = socket.socket(fileno=descriptor)
    import understudy.audio.decoding.ffmpeg  # noqa: F401  # else the first mp3 of each worker waits for its libraries

    pin_blas()  # the server's process may still load its own libraries
    backbones = _load_backbones(backbone)
    buffer = bytearray(_BUFFER_BYTES)
    first = receive_frames(control, buffer)
    if not first:
        return
    configuration = Configuration.model_validate_json(first[0].head)
    configure_logs(configuration.log_format, configuration.log_level)  # its workers write lines of the same form
    if sys.platform == "linux":
        die_with_parent(configuration.parent)
    if configuration.backbone != backbone:
        backbones = _load_backbones(configuration.backbone)
    held = walls.apply(configuration.memory_bytes, configuration.readable)
    send_frame(control, Started(walls=held).model_dump_json().encode())
    limits = ClipLimits(configuration.max_audio_seconds, configuration.max_whole_clip_seconds)
    ended = _watch_children()
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(ended, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(_POLL_MILLISECONDS)}
        if ended in ready:
            os.read(ended, 4096)
        if control.fileno() in ready:
            frames = receive_frames(control, buffer)
            if not frames:
                return
            [frame] = frames  # each has descriptors, and travels in a packet of its own
            end, page = frame.descriptors
            pid = os.fork()
            if pid == 0:
                _run_child(control, end, page, limits, backbones)
            frame.close()
            handle = os.pidfd_open(pid)
            send_frame(control, Forked(pid=pid).model_dump_json().encode(), [handle])
            os.close(handle)
        _report_exits(control)


def _watch_children() -> int:
    """Return a descriptor that can be read when a child has ended."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return ended


def _load_backbones(path: Path | None) -> list[Backbone]:
    """Return the backbone, before the workers are forked; a file that cannot be loaded is refused by its models."""
    try:
        return [] if path is None else [load_backbone(path)]
    except UnderstudyError:
        return []


def _report_exits(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        send_frame(control, Exited(pid=pid, code=os.waitstatus_to_exitcode(status)).model_dump_json().encode())


def _run_child(control: socket.socket, end: int, page: int, limits: ClipLimits, backbones: Sequence[Backbone]) -> None:
    """Run a worker, and end the process without the exit handlers of the fork server."""
    code = 1
    try:
        if sys.platform == "linux":
            die_with_parent(os.getppid())
            seccomp.forbid_processes()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        steps = StepPage(page)
        os.close(page)
        asyncio.run(run_worker(socket.socket(fileno=end), steps, limits, backbones))
        code = 0
    except BaseException:  # the process ends here in any case
        log.exception("an error ends a worker", pid=os.getpid())
    finally:
        os._exit(code)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    except Exception:
        log.exception("an error ends the fork server")
        sys.exit(1)
