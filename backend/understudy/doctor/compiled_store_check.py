"""Compares the compiled store with the rows: unusable and unneeded entries, and compile states that are not true."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from anyio.to_thread import run_sync
from filelock import Timeout

from understudy.compiler.compile_lock import make_compile_lock
from understudy.compiler.compiled_store import CompiledModel, CompiledStore
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import compute_key, format_name
from understudy.errors import BackboneMissing, UnderstudyError
from understudy.models import CompileState
from understudy.registry.database.database import Database
from understudy.registry.models import file_records
from understudy.registry.models.rows import Row
from understudy.settings import Settings

_WAIT_SECONDS = 5.0
_REMEDY = "Remove it: understudy doctor --fix"


async def check(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Find unusable and unneeded entries, and rows whose compile state is not true.

    With `fix`, the entries are removed and the states corrected. The check holds the compile lock, so that no entry is
    half written while it runs.
    """
    lock = make_compile_lock(settings.var_dir)
    place = str(settings.compiled_dir)
    try:
        async with await lock.acquire(timeout=_WAIT_SECONDS):
            found = await run_sync(lambda: list(_check_entries(settings, rows, fix=fix)))
            return [*found, *await _check_states(settings, database, rows, fix=fix)]
    except Timeout:
        what = "A compilation is running, so the compiled store was not checked."
        return [Finding("store_busy", place, what, "Run `understudy doctor` again when the compilation has ended.")]
    except OSError as error:
        what = f"The compiled store cannot be read: {error.strerror}."
        return [Finding("store_unreadable", place, what, "Let the user that runs Understudy read and write there.")]


def _check_entries(settings: Settings, rows: Sequence[Row], *, fix: bool) -> Iterator[Finding]:
    store = CompiledStore(settings.compiled_dir)
    records = [(row, row.record) for row in rows if row.record is not None]
    wanted = {key for row, record in records for key in (compute_key(store, row), record.twin)}

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


def _is_variant_of(entry: CompiledModel | None, wanted: Collection[str | None]) -> bool:
    """True for an int8 variant, also an earlier one, of a needed entry: it may be live, or a rollback may need it."""
    quantization = entry.report.quantization if entry else None
    return quantization is not None and quantization.passed and quantization.of in wanted


def _find_fault(settings: Settings, compiled: CompiledModel) -> str | None:
    """Load the entry and warm it up; return the reason of a failure, or None."""
    from understudy.inference.pipeline.pipeline import Pipeline
    from understudy.inference.pipeline.yamnet_backbone import Backbone

    quantization = compiled.report.quantization
    path: Path = settings.backbone_path
    if quantization is not None and quantization.backbone is not None:
        path = settings.quantized_backbone_path(quantization.backbone)
    try:
        backbone = Backbone.load(path) if path.exists() else None
        seconds = settings.max_whole_clip_seconds
        Pipeline.load(compiled.folder, backbone=backbone, max_whole_clip_seconds=seconds).warm_up()
    except BackboneMissing:
        return None
    except UnderstudyError as error:
        return error.detail
    return None


async def _check_states(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    store = CompiledStore(settings.compiled_dir)
    found: list[Finding] = []
    for row in rows:
        if row.record is None:
            continue
        state = CompileState(row.record.compile_state)
        if state is CompileState.COMPILING:
            what = "Its compilation was interrupted."
        elif state is CompileState.READY and await run_sync(store.find, compute_key(store, row)) is None:
            what = "It is recorded as compiled, but its compiled model does not exist."
        else:
            continue
        finding = Finding(
            "compile_state_wrong", format_name(row), what, f"Compile it: understudy compile {row.model.model_id}"
        )
        if fix:
            async with database.write() as session:
                await file_records.set_compile_state(
                    session, row.model.model_id, row.record.digest, CompileState.NOT_COMPILED
                )
            finding = finding.as_fixed()
        found.append(finding)
    return found
