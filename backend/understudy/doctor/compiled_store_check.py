"""Compares the compiled store with the rows: unusable and unneeded entries, and compile states that are not true."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from anyio.to_thread import run_sync
from filelock import Timeout

from understudy.backbones.store import MANIFEST_FILE
from understudy.compiler.compile_lock import (
    POLL_SECONDS,
    LockPurpose,
    locate_compile_lock,
    locate_slow_lock,
    make_compile_lock,
    make_slow_lock,
    read_holder,
)
from understudy.compiler.compiled_store import CompiledModel, CompiledStore
from understudy.compiler.model_source import compute_digest
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import compute_key, format_name
from understudy.errors import BackboneMissing, UnderstudyError
from understudy.models import CompileState
from understudy.registry.database.database import Database
from understudy.registry.files.model_files import ModelFiles
from understudy.registry.models import file_records
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.spec_reading import read_spec_now
from understudy.registry.models.table.rows import Row, list_all
from understudy.settings import Settings

_WAIT_SECONDS = 5.0
# A process that waits for the lock gets it within this time after the doctor let it go.
_WAITER_SECONDS = 5 * POLL_SECONDS
_REMEDY = "Remove it: understudy doctor --fix"


async def check(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Find unusable and unneeded entries, and rows whose compile state is not true.

    With `fix`, the entries are removed and the states corrected. The check holds the compile lock, so that no entry is
    half written while it runs. A compilation is running while its process holds that lock or that of the slow lane.
    """
    try:
        async with _hold_lock(settings, _WAIT_SECONDS, fix=fix):
            found = await run_sync(lambda: list(_check_entries(settings, rows, fix=fix)))
            found += await _check_ready(settings, database, rows, fix=fix)
        return [*found, *await _check_compiling(settings, database, rows, fix=fix)]
    except Timeout:
        return [_build_busy(settings)]
    except OSError as error:
        what = f"The compiled store cannot be read: {error.strerror}."
        remedy = "Let the user that runs Understudy read and write there."
        return [Finding("store_unreadable", str(settings.compiled_dir), what, remedy)]


@asynccontextmanager
async def _hold_lock(settings: Settings, wait_seconds: float, *, fix: bool) -> AsyncIterator[None]:
    """Hold the compile lock; raises Timeout when another process holds it longer than `wait_seconds`.

    Without `fix`, the lock file is not created: where it is missing, no process of this home compiles.
    """
    if not fix and not locate_compile_lock(settings.var_dir).exists():
        yield
        return
    lock = make_compile_lock(settings.var_dir, LockPurpose.DOCTOR)
    async with await lock.acquire(timeout=wait_seconds):
        yield


@asynccontextmanager
async def _hold_slow_lock(settings: Settings) -> AsyncIterator[None]:
    """Hold the lock of the compilation that takes long; raises Timeout when another process holds it."""
    if not locate_slow_lock(settings.var_dir).exists():
        yield
        return
    async with await make_slow_lock(settings.var_dir, LockPurpose.DOCTOR).acquire(timeout=0):
        yield


def _build_busy(settings: Settings) -> Finding:
    holder = read_holder(settings.var_dir)
    process = f" (process {holder.process_id})" if holder else ""
    if holder is not None and holder.purpose is LockPurpose.DOCTOR:
        what, end = f"Another `understudy doctor`{process} is checking the compiled store", "it"
    else:
        what, end = f"A compilation is running{process}", "the compilation"
    what += ", so the compiled store was not checked."
    return Finding(
        "store_busy", str(settings.compiled_dir), what, f"Run `understudy doctor` again when {end} has ended."
    )


def _check_entries(settings: Settings, rows: Sequence[Row], *, fix: bool) -> Iterator[Finding]:
    store = CompiledStore(settings.compiled_dir)
    records = [(row, row.record) for row in rows if row.record is not None]
    wanted = {key for row, record in records for key in (*_list_keys(settings, store, row), record.twin)}

    def remove(finding: Finding, entry: str) -> Finding:
        if not fix:
            return finding
        store.remove(entry)
        return finding.as_fixed()

    unusable = store.find_stale()
    for each in unusable:
        what = f"An entry of the compiled store cannot be used: {each.reason} ({each.bytes} bytes)."
        yield remove(Finding("compiled_unusable", str(each.folder), what, _REMEDY), each.name)
    for key in sorted(set(store.list_keys()) - {each.name for each in unusable}):
        if key not in wanted and not _is_variant_of(store.find(key), wanted):
            what = "An entry of the compiled store belongs to no registered model."
            yield remove(Finding("compiled_unreferenced", str(store.locate(key)), what, _REMEDY), key)
        elif (compiled := store.find(key)) is not None and (reason := _find_fault(settings, compiled)) is not None:
            what = f"A compiled model fails its warm-up: {reason}"
            yield remove(Finding("compiled_unsound", str(compiled.folder), what, _REMEDY), key)


def _list_keys(settings: Settings, store: CompiledStore, row: Row) -> list[str]:
    """Return the keys of the row's compiled model, and of the one that its next activation needs."""
    keys = [compute_key(store, row)]
    if row.record is not None:
        reading = read_spec_now(ModelFiles(settings), RegisteredFile.from_rows(row.model, row.record))
        keys.append(store.compute_key(row.record.digest, reading.model.spec))
    return keys


def _is_variant_of(entry: CompiledModel | None, wanted: Collection[str | None]) -> bool:
    """True for an int8 variant, also an earlier one, of a needed entry: it may be live, or a rollback may need it."""
    quantization = entry.report.quantization if entry else None
    return quantization is not None and quantization.passed and quantization.of in wanted


def _find_fault(settings: Settings, compiled: CompiledModel) -> str | None:
    """Load the entry and warm it up; return the reason of a failure, or None."""
    from understudy.inference.clip_input.backbone_loading import load_backbone
    from understudy.inference.pipeline.pipeline import Pipeline

    quantization, named = compiled.report.quantization, compiled.report.spec.backbone
    path: Path = settings.backbone_path
    if quantization is not None and quantization.backbone is not None:
        path = settings.quantized_backbone_path(quantization.backbone)
        digest = quantization.backbone_file_digest
        if digest is not None and path.is_file() and compute_digest(path) != digest:
            return f"its int8 backbone {path.name} was changed."
    elif named is not None:
        path = settings.named_backbones_dir / named.digest / MANIFEST_FILE
    try:
        backbone = load_backbone(path) if path.exists() else None
        seconds = settings.max_whole_clip_seconds
        Pipeline.load(compiled.folder, backbone=backbone, max_whole_clip_seconds=seconds).warm_up()
    except BackboneMissing:
        return None
    except UnderstudyError as error:
        return error.detail
    return None


async def _check_ready(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Find rows that are recorded as compiled and have no compiled model."""
    store = CompiledStore(settings.compiled_dir)
    what = "It is recorded as compiled, but its compiled model does not exist."
    return [
        await _reset_state(database, row, what, fix=fix)
        for row in rows
        if row.record is not None
        and row.record.compile_state == CompileState.READY
        and await run_sync(store.find, compute_key(store, row)) is None
    ]


async def _check_compiling(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Find rows that are recorded as being compiled while no process compiles.

    A process writes that state before it waits for a lock. Therefore both locks must be free at a second look, and the
    state still the same.
    """
    if not any(_is_compiling(row) for row in rows):
        return []
    await asyncio.sleep(_WAITER_SECONDS)
    try:
        async with _hold_lock(settings, 0, fix=fix), _hold_slow_lock(settings):
            async with database.read(seconds=database.long_seconds) as session:
                now = await list_all(session)
            what = "Its compilation was interrupted: no process of this home compiles now."
            return [await _reset_state(database, row, what, fix=fix) for row in now if _is_compiling(row)]
    except Timeout:
        return []


def _is_compiling(row: Row) -> bool:
    return row.record is not None and row.record.compile_state == CompileState.COMPILING


async def _reset_state(database: Database, row: Row, what: str, *, fix: bool) -> Finding:
    finding = Finding(
        "compile_state_wrong", format_name(row), what, f"Compile it: understudy compile {row.model.model_id}"
    )
    if not fix or row.record is None:
        return finding
    async with database.write(seconds=database.long_seconds) as session:
        registered = RegisteredFile.from_rows(row.model, row.record)
        await file_records.set_compile_state(session, registered, CompileState.NOT_COMPILED)
    return finding.as_fixed()
