"""Runs the compiler's child process: its environment, its limits, its answer, or why it ended without one."""

import os
import shutil
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.compiler.isolation import child_process
from understudy.compiler.isolation.child_protocol import (
    OUTCOME_FILE,
    REFUSAL_FILE,
    STEP_MARK,
    ChildRefusal,
    ConvertRequest,
    QuantizeRequest,
)
from understudy.compiler.isolation.process_limits import Limits, make_memory_refusal, mentions_memory
from understudy.errors import CompileFailed, UnderstudyError
from understudy.settings import Settings

_FILE_SLACK = 64 << 20


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


class Sandbox:
    """Runs one child at a time in one scratch folder; the caller must hold the compile lock."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def open_scratch(self) -> Iterator[Path]:
        """Provide an empty folder with `out` below it, and remove it afterwards.

        Leftovers of killed children are removed first, which is safe because the caller holds the compile lock.
        """
        root = self._settings.var_dir.resolve() / "scratch"
        shutil.rmtree(root, ignore_errors=True)
        scratch = root / uuid.uuid4().hex
        (scratch / "out").mkdir(parents=True)
        try:
            yield scratch
        finally:
            shutil.rmtree(root, ignore_errors=True)

    def build_limits(self, scratch: Path) -> Limits:
        """Return the limits of a child that works in `scratch`, from the settings."""
        settings = self._settings
        return Limits(
            memory_bytes=settings.compile_memory_bytes,
            cpu_seconds=settings.compile_cpu_seconds,
            file_bytes=2 * settings.max_model_bytes + _FILE_SLACK,
            scratch=scratch,
        )

    async def run(self, request: ConvertRequest | QuantizeRequest, report_step: Callable[[str], None]) -> bytes:
        """Do `request` in a child and return its result as JSON; `report_step` is called with the child's steps.

        Raises the error that the child refused with, and CompileFailed when the child ended without an answer.
        """
        scratch = request.limits.scratch
        (scratch / "request.json").write_text(request.model_dump_json(), encoding="utf-8")

        def handle_line(line: str) -> None:
            if line.startswith(STEP_MARK):
                report_step(line.removeprefix(STEP_MARK))

        ended = await child_process.run(
            [sys.executable, "-P", "-m", "understudy.compiler.child", request.task, str(scratch / "request.json")],
            environment=_build_environment(scratch),
            folder=scratch,
            seconds=self._settings.compile_wall_seconds,
            on_line=handle_line,
        )
        if (request.out / OUTCOME_FILE).is_file() and ended.code == 0:
            return (request.out / OUTCOME_FILE).read_bytes()
        if (request.out / REFUSAL_FILE).is_file() and not ended.timed_out:
            raise ChildRefusal.model_validate_json((request.out / REFUSAL_FILE).read_bytes()).to_error()
        raise self._explain_exit(ended)

    def _explain_exit(self, ended: child_process.ChildExit) -> UnderstudyError:
        """Return the error for a child that ended without an answer."""
        settings = self._settings
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
        if name == "SIGKILL" or mentions_memory(ended.stderr):
            return make_memory_refusal(settings.compile_memory_bytes)
        return CompileFailed(
            f"The compiler's child ended with {name}: {_read_last_line(ended.stderr)}",
            remedy="Check that the file loads in the framework that wrote it, and save it again.",
        )
