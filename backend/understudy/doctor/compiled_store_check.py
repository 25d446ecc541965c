"""The compiled store against the rows: entries that nobody needs, that cannot be used, and states that do not hold."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from anyio import move_on_after
from anyio.to_thread import run_sync

from understudy.compiler.compile_lock import make_compile_lock
from understudy.compiler.compiled_store import CompiledModel, CompiledStore
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import key_of, name
from understudy.errors import BackboneMissing, UnderstudyError
from understudy.models import CompileState
from understudy.registry.database.database import Database
from understudy.registry.models import file_records
from understudy.registry.models.rows import Row
from understudy.settings import Settings

_WAIT_SECONDS = 5.0
_FIX = "Remove it: understudy doctor --fix"


async def look(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Unusable and unreferenced entries (removed by the fix) and rows whose compile state is not true (corrected).

    Looks while no compilation runs, so that nothing half-written is taken for a leftover.
    """
    try:
        with move_on_after(_WAIT_SECONDS):
            async with make_compile_lock(settings.var_dir):
                found = await run_sync(lambda: list(_entries(settings, rows, fix=fix)))
                return [*found, *await _states(settings, database, rows, fix=fix)]
    except OSError as error:
        what = f"The compiled store cannot be read: {error.strerror}."
        remedy = "Let the user that runs Understudy read and write there."
        return [Finding("store_unreadable", str(settings.compiled_dir), what, remedy)]
    what = "A compilation is running, so the compiled store was not looked at."
    return [Finding("store_busy", str(settings.compiled_dir), what, "Run understudy doctor again when it is done.")]


def _entries(settings: Settings, rows: Sequence[Row], *, fix: bool) -> Iterator[Finding]:
    store = CompiledStore(settings.compiled_dir)
    records = [(row, row.record) for row in rows if row.record is not None]
    wanted = {key for row, record in records for key in (key_of(store, row), record.twin)}

    def removed(finding: Finding, entry: str) -> Finding:
        if not fix:
            return finding
        store.remove(entry)
        return finding.fixed()

    unusable = store.stale()
    for each in unusable:
        what = f"An entry of the compiled store cannot be used: {each.reason} ({each.bytes} bytes)."
        yield removed(Finding("compiled_unusable", str(each.folder), what, _FIX), each.name)
    for key in sorted(set(store.keys()) - {each.name for each in unusable}):
        if key not in wanted and not _may_serve(store.find(key), wanted):
            what = "An entry of the compiled store belongs to no registered model."
            yield removed(Finding("compiled_unreferenced", str(store.folder(key)), what, _FIX), key)
        elif (compiled := store.find(key)) is not None and (reason := _unsound(settings, compiled)) is not None:
            what = f"A compiled form fails its warm-up: {reason}"
            yield removed(Finding("compiled_unsound", str(compiled.folder), what, _FIX), key)


def _may_serve(entry: CompiledModel | None, wanted: Collection[str | None]) -> bool:
    """Whether it is an earlier int8 twin of a wanted form: it may be live, or a rollback may go back to it."""
    quantization = entry.report.quantization if entry else None
    return quantization is not None and quantization.passed and quantization.of in wanted


def _unsound(settings: Settings, compiled: CompiledModel) -> str | None:
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


async def _states(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    store = CompiledStore(settings.compiled_dir)
    found: list[Finding] = []
    for row in rows:
        if row.record is None:
            continue
        state = CompileState(row.record.compile_state)
        if state is CompileState.COMPILING:
            what = "Its compilation broke off."
        elif state is CompileState.READY and await run_sync(store.find, key_of(store, row)) is None:
            what = "It counts as compiled, and its compiled form is not there."
        else:
            continue
        finding = Finding(
            "compile_state_wrong", name(row), what, f"Compile it: understudy compile {row.model.model_id}"
        )
        if fix:
            async with database.write() as session:
                await file_records.set_compile_state(
                    session, row.model.model_id, row.record.digest, CompileState.NOT_COMPILED
                )
            finding = finding.fixed()
        found.append(finding)
    return found
