"""Compiling a registered source: from the store, or by a child process that may do little else."""

import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio.to_thread

from app.compiler import lock, process, source
from app.compiler.child import memory_refusal
from app.compiler.formats.recognise import Kind, Recognised, recognise
from app.compiler.job import OUTCOME_FILE, REFUSAL_FILE, STEP_MARK, Job, Outcome, Refusal
from app.compiler.limits import Limits, speaks_of_memory
from app.compiler.spec import resolve, score_output
from app.compiler.store import COMPILER_VERSION, MODEL_FILE, VERSION_NAME, CompiledModel, CompiledStore
from app.errors import CompileFailed, FileChanged, UnderstudyError
from app.schemas.report import CompileReport
from app.schemas.spec import PartialSpec
from app.settings import Settings
from app.storage import disk_refusals_named

_SUFFIX = {Kind.KERAS: ".keras", Kind.H5: ".h5", Kind.TFLITE: ".tflite", Kind.ONNX: ".onnx", Kind.SAVED_MODEL: ""}
_FILE_SLACK = 64 << 20


def _environment(scratch: Path) -> dict[str, str]:
    """What the child sees of our environment: no secrets, one thread a library, and scratch as its home."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    folder = str(scratch)
    return kept | {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        **dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "KERAS_HOME"), folder),
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_ENABLE_ONEDNN_OPTS": "0",  # its fused kernels round differently, and this is the reference
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
    }


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


class Compiler:
    """Compiles for one home; any number of these, in any number of processes, take turns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.store = CompiledStore(settings.compiled_dir)

    async def compile(
        self, path: Path, digest: str, given: PartialSpec | None, on_step: Callable[[str], None] | None = None
    ) -> CompiledModel:
        """The compiled form of the source at `path`, from the store when it is there.

        `digest` is the source's as registered; `on_step` hears queue, copy, load, convert, parity and store. Raises
        FileMissing, FileChanged, TooLarge, FormatUnknown, ModelUnsafe, CompileFailed, ParityFailed, SpecInvalid,
        CompilerMissing and StorageUnavailable.
        """
        say = on_step or (lambda _: None)
        key = self.store.key(digest, given)
        if found := await anyio.to_thread.run_sync(self.store.find, key):
            return found
        say("queue")
        with disk_refusals_named(self._settings.var_dir):
            async with lock.exclusive(self._settings.var_dir / "compile.lock"):
                if found := await anyio.to_thread.run_sync(self.store.find, key):
                    return found
                with self._scratch() as scratch:
                    return await self._make(path, digest, given, key, scratch, say)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder for one compilation; leftovers of compilations that were killed go first (we hold the lock)."""
        root = self._settings.var_dir.resolve() / "scratch"
        shutil.rmtree(root, ignore_errors=True)
        scratch = root / uuid.uuid4().hex
        (scratch / "out").mkdir(parents=True)
        try:
            yield scratch
        finally:
            shutil.rmtree(root, ignore_errors=True)

    async def _make(
        self,
        path: Path,
        digest: str,
        given: PartialSpec | None,
        key: str,
        scratch: Path,
        say: Callable[[str], None],
    ) -> CompiledModel:
        say("copy")
        copied, found, size = await anyio.to_thread.run_sync(self._copy, path, digest, scratch)
        started = time.monotonic()
        outcome = await self._convert(copied, found, scratch, say)
        seconds = time.monotonic() - started
        given = given or PartialSpec()
        scores = score_output(outcome.outputs, given.over(outcome.hints).labels)
        outputs = (outcome.outputs[scores], *outcome.outputs[:scores], *outcome.outputs[scores + 1 :])
        spec = resolve(given, outcome.hints, outcome.inputs, outputs, outcome.activations[scores])
        say("store")
        model = scratch / "out" / MODEL_FILE
        report = CompileReport(
            key=key,
            source_digest=digest,
            source_bytes=size,
            format=found.kind.value,
            spec=spec,
            outputs=outputs,
            graph_activation=outcome.activations[scores],
            onnx_digest=await anyio.to_thread.run_sync(source.digest_of, model),
            onnx_bytes=model.stat().st_size,
            seconds=seconds,
            isolation=(*outcome.isolation, "environment", "wall_clock"),
            notes=(found.note,) if found.note else (),
            versions=outcome.versions | {VERSION_NAME: str(COMPILER_VERSION)},
            compiled_at=datetime.now(UTC),
            **{name: getattr(outcome, name) for name in _SHARED},
        )
        return await anyio.to_thread.run_sync(self.store.add, scratch / "out", report)

    def _copy(self, path: Path, digest: str, scratch: Path) -> tuple[Path, Recognised, int]:
        """The source below scratch under a name that fits its content, what it is, and its bytes."""
        target = scratch / "source"
        if source.copy_of(path, target, self._settings.max_model_bytes) != digest:
            raise FileChanged(f"{path.name} is no longer the file that was registered.")
        found = recognise(target, path.name)
        named = scratch / f"model{_SUFFIX[found.kind]}"
        target.rename(named)
        return named, found, source.size_of(named)

    async def _convert(self, copied: Path, found: Recognised, scratch: Path, say: Callable[[str], None]) -> Outcome:
        settings = self._settings
        limits = Limits(
            memory_bytes=settings.compile_memory_bytes,
            cpu_seconds=settings.compile_cpu_seconds,
            file_bytes=2 * settings.max_model_bytes + _FILE_SLACK,
            scratch=scratch,
        )
        job = Job(
            source=copied,
            kind=found.kind,
            keras_version=found.keras_version,
            out=scratch / "out",
            limits=limits,
            parent=os.getpid(),
        )
        (scratch / "job.json").write_text(job.model_dump_json(), encoding="utf-8")

        def heard(line: str) -> None:
            if line.startswith(STEP_MARK):
                say(line.removeprefix(STEP_MARK))

        ended = await process.run(
            [sys.executable, "-P", "-m", "app.compiler.child", str(scratch / "job.json")],
            environment=_environment(scratch),
            folder=scratch,
            seconds=settings.compile_wall_seconds,
            on_line=heard,
        )
        if (job.out / OUTCOME_FILE).is_file() and ended.code == 0:
            return Outcome.model_validate_json((job.out / OUTCOME_FILE).read_bytes())
        if (job.out / REFUSAL_FILE).is_file() and not ended.timed_out:
            raise Refusal.model_validate_json((job.out / REFUSAL_FILE).read_bytes()).error()
        raise self._death(ended)

    def _death(self, ended: process.Ended) -> UnderstudyError:
        """Why a child that left no answer ended."""
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
        if name == "SIGKILL" or speaks_of_memory(ended.stderr):
            return memory_refusal(settings.compile_memory_bytes)
        return CompileFailed(
            f"The compiler's child ended with {name}: {_last_words(ended.stderr)}",
            remedy="Check that the file loads in the framework that wrote it, and save it again.",
        )


_SHARED = ("framework", "written_by", "inputs", "parity", "peak_memory_bytes")
