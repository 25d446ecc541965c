"""Runs the compiler's child process: its environment, its limits, its answer, or why it ended without one."""

import math
import os
import signal
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from understudy.compiler.isolation import child_process
from understudy.compiler.isolation.child_protocol import (
    OUTCOME_FILE,
    PARITY,
    PROBE,
    REFUSAL_FILE,
    STEP_MARK,
    ChildRefusal,
    ConvertRequest,
    QuantizeRequest,
)
from understudy.compiler.isolation.process_limits import Limits, make_memory_refusal
from understudy.errors import CompilationEnded, CompileFailed, UnderstudyError
from understudy.errors.memory_errors import mentions_memory
from understudy.files.file_ownership import own_folder, remove_left_over_folders
from understudy.settings import Settings

_FILE_SLACK = 64 << 20
# No limit of the child ends it by one of these, and no fault of a model does.
_FROM_OUTSIDE = {
    -number: name
    for name in ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT")
    if (number := getattr(signal, name, None)) is not None
}


def _build_environment(scratch: Path) -> dict[str, str]:
    """Return the child's environment: no secrets, one thread for each library, `scratch` as its home."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    folder = str(scratch)
    return kept | {
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        **dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "KERAS_HOME"), folder),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_ENABLE_ONEDNN_OPTS": "0",  # its fused kernels round differently, and this is the reference for parity
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
    }


def _read_last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it wrote no message"


def locate_scratch(var_dir: Path) -> Path:
    """Return the folder in which children work."""
    return var_dir.resolve() / "scratch"


def remove_left_over_scratch(var_dir: Path) -> None:
    """Remove the folders that killed processes left, and never one in which a process works."""
    root = locate_scratch(var_dir)
    remove_left_over_folders(root)
    with suppress(OSError):
        root.rmdir()


def _own(scratch: Path, stack: ExitStack) -> None:
    """Own the folder until `stack` is closed."""
    while True:
        scratch.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process removed the empty folder above it
            stack.enter_context(own_folder(scratch))
            return


def _explain_step(step: str, seconds: float) -> CompileFailed:
    if step == PROBE:
        return CompileFailed(
            f"Finding out the format of the file took longer than {seconds:g} seconds and was ended.",
            remedy="Export the model again. If it is meant to be like this, raise UNDERSTUDY_COMPILE_PROBE_SECONDS.",
        )
    return CompileFailed(
        f"Comparing the compiled model with the original took longer than {seconds:g} seconds and was ended.",
        remedy="Raise UNDERSTUDY_COMPILE_PARITY_SECONDS if the model is that slow. A loop in its graph may not end on "
        "some input, such as silence.",
    )


class QuickLaneFull(Exception):
    """The child took long, and the slow lane is taken: it was ended, and has to be started again there."""


@dataclass
class _Progress:
    """The step that the child has reached, and when it began."""

    step: str = "start"
    since: float = field(default_factory=time.monotonic)

    def enter(self, step: str) -> None:
        self.step, self.since = step, time.monotonic()


class Sandbox:
    """Runs children, each in a scratch folder of its own; the caller must hold one of the compiler's lanes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._step_seconds = {PROBE: settings.compile_probe_seconds, PARITY: settings.compile_parity_seconds}

    @contextmanager
    def open_scratch(self) -> Iterator[Path]:
        """Provide an empty folder with `out` below it, and remove it afterwards.

        Folders that killed processes left are removed first.
        """
        root = locate_scratch(self._settings.var_dir)
        remove_left_over_folders(root)
        scratch = root / uuid.uuid4().hex
        try:
            with ExitStack() as stack:
                _own(scratch, stack)
                (scratch / "out").mkdir(parents=True)
                yield scratch
        finally:
            with suppress(OSError):  # another process works beside this one
                root.rmdir()

    def build_limits(self, scratch: Path) -> Limits:
        """Return the limits of a child that works in `scratch`, from the settings."""
        settings = self._settings
        return Limits(
            memory_bytes=settings.compile_memory_bytes,
            cpu_seconds=settings.compile_cpu_seconds,
            file_bytes=2 * settings.max_model_bytes + _FILE_SLACK,
            scratch=scratch,
        )

    async def run(
        self,
        request: ConvertRequest | QuantizeRequest,
        report_step: Callable[[str], None],
        leave_quick_lane: Callable[[], Awaitable[bool]] | None = None,
    ) -> bytes:
        """Do `request` in a child and return its result as JSON; `report_step` is called with the child's steps.

        `leave_quick_lane` is awaited when the child has run for `compile_quick_seconds`, and returns whether it may go
        on. Raises the error that the child refused with, CompilationEnded when another process ended it, CompileFailed
        when it ended without an answer, and QuickLaneFull.
        """
        scratch = request.limits.scratch
        (scratch / "request.json").write_text(request.model_dump_json(), encoding="utf-8")

        progress, began, lane_full = _Progress(), time.monotonic(), False

        def handle_line(line: str) -> None:
            if line.startswith(STEP_MARK):
                progress.enter(line.removeprefix(STEP_MARK))
                report_step(progress.step)

        async def may_go_on() -> bool:
            nonlocal leave_quick_lane, lane_full
            now = time.monotonic()
            if now - progress.since > self._step_seconds.get(progress.step, math.inf):
                return False
            if leave_quick_lane is not None and now - began > self._settings.compile_quick_seconds:
                lane_full = not await leave_quick_lane()
                leave_quick_lane = None
            return not lane_full

        ended = await child_process.run(
            [sys.executable, "-P", "-m", "understudy.compiler.child", request.task, str(scratch / "request.json")],
            environment=_build_environment(scratch),
            folder=scratch,
            seconds=self._settings.compile_wall_seconds,
            on_line=handle_line,
            may_go_on=may_go_on,
        )
        if lane_full and ended.timed_out:
            raise QuickLaneFull
        if (request.out / OUTCOME_FILE).is_file() and ended.code == 0:
            return (request.out / OUTCOME_FILE).read_bytes()
        if (request.out / REFUSAL_FILE).is_file() and not ended.timed_out:
            raise ChildRefusal.model_validate_json((request.out / REFUSAL_FILE).read_bytes()).to_error()
        if ended.code in _FROM_OUTSIDE and not ended.timed_out:
            raise CompilationEnded(
                f"Another process, or the system because memory was short, ended the compilation by "
                f"{_FROM_OUTSIDE[ended.code]}."
            )
        raise self._explain_exit(ended, progress)

    def _explain_exit(self, ended: child_process.ChildExit, progress: _Progress) -> UnderstudyError:
        """Return the error for a child that ended without an answer."""
        settings = self._settings
        if ended.timed_out and time.monotonic() - progress.since > self._step_seconds.get(progress.step, math.inf):
            return _explain_step(progress.step, self._step_seconds[progress.step])
        if ended.timed_out:
            return CompileFailed(
                f"The compilation took longer than {settings.compile_wall_seconds:g} seconds and was ended.",
                remedy="Raise UNDERSTUDY_COMPILE_WALL_SECONDS, or register a smaller model.",
            )
        name = signal.Signals(-ended.code).name if ended.code < 0 else f"exit code {ended.code}"
        if name == "SIGXCPU":
            return CompileFailed(
                f"The compilation used more than {settings.compile_cpu_seconds} seconds of CPU time and was ended.",
                remedy="Raise UNDERSTUDY_COMPILE_CPU_SECONDS, or register a smaller model.",
            )
        if mentions_memory(ended.stderr):
            return make_memory_refusal(settings.compile_memory_bytes)
        return CompileFailed(
            f"The compiler's child ended with {name}: {_read_last_line(ended.stderr)}",
            remedy="Check that the file loads in the framework that wrote it, and save it again.",
        )
