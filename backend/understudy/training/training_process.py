"""Start a training in a child process and follow its progress."""

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path
from typing import IO

from understudy.errors import UnderstudyError
from understudy.errors.problem_documents import error_from_problem
from understudy.training.train import TrainingReport
from understudy.training.training_child import Message, TrainingRequest

Progress = Callable[[str, int, int | None], None]
_LINE_BYTES = 16 << 20
_PACKAGE_PARENT = str(Path(__file__).resolve().parents[2])


async def run_training(request: TrainingRequest, on_progress: Progress) -> TrainingReport:
    """Run a training in a child process and return its report; the child ends when this call ends.

    Raises what `train_head` raises, and UnderstudyError when the child ends without a report.
    """
    environment = os.environ | {"PYTHONPATH": _PACKAGE_PARENT, "PYTHONUTF8": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    with tempfile.TemporaryFile() as errors:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "understudy.training.training_child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=environment,
            limit=_LINE_BYTES,
        )
        try:
            report = await _follow_child(child, request, on_progress)
            code = await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if report is None:
            raise UnderstudyError(
                f"The training process ended with {_describe_exit(code)}: {_read_last_line(errors)}",
                remedy="Free memory on this machine, or train on fewer or shorter recordings.",
            )
        return report


async def _follow_child(child: Process, request: TrainingRequest, on_progress: Progress) -> TrainingReport | None:
    assert child.stdin is not None  # noqa: S101  # both are pipes
    assert child.stdout is not None  # noqa: S101
    child.stdin.write(request.model_dump_json().encode())
    child.stdin.close()
    report = None
    async for line in child.stdout:
        if not line.startswith(b"{"):
            continue  # a framework's own print
        message = Message.model_validate_json(line)
        if message.problem is not None:
            raise error_from_problem(message.problem)
        if message.step is not None:
            on_progress(message.step, message.done, message.total)
        report = message.report or report
    return report


def _describe_exit(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _read_last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it wrote no message"
