"""Checks the files behind the rows, and whether their sidecars and labels are what was recorded."""

from collections.abc import Sequence

from anyio.to_thread import run_sync

from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor.finding import Finding, FindingState
from understudy.errors import PathRefused, SpecInvalid, UnderstudyError
from understudy.registry.files.model_files import ModelFiles
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.model_detail import describe_unnamed, has_invented_labels
from understudy.registry.models.spec_reading import read_spec_now
from understudy.registry.models.table.row_view import collect_facts
from understudy.registry.models.table.rows import Row
from understudy.registry.registry import Registry


async def check(registry: Registry, store: CompiledStore, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Find missing and changed files, sidecars to look at, a live model without label names, and files never read.

    With `fix`, the files that were never read are read and recorded.
    """
    found: list[Finding] = []
    for row in rows:
        missing = await run_sync(_check_existence, registry.files, store, row)
        if missing is not None:
            found.append(missing)
            continue
        found += await run_sync(_check_content, registry.files, row)
        found += await run_sync(_check_spec, registry.files, store, row)
        if row.record is None:
            found.append(await _check_record(registry, row, fix=fix))
    return found


def split_readable(rows: Sequence[Row]) -> tuple[list[Row], list[Finding]]:
    """Return the rows whose record can be read, and a finding for each of the others."""
    kept: list[Row] = []
    found: list[Finding] = []
    for row in rows:
        try:
            if row.record is not None:
                RegisteredFile.from_rows(row.model, row.record)
        except SpecInvalid as error:
            found.append(Finding("spec_unreadable", format_name(row), error.detail, error.remedy))
        else:
            kept.append(row)
    return kept, found


def format_name(row: Row) -> str:
    """Return id and name of the model for messages."""
    return f"model {row.model.model_id} ({row.model.model_name})"


def _check_existence(files: ModelFiles, store: CompiledStore, row: Row) -> Finding | None:
    path = row.model.file_path
    try:
        files.resolve(path)
    except PathRefused as error:
        remedy = "Point the row at a file in the home folder: understudy update MODEL_ID --path models/FILE"
        return Finding("path_refused", format_name(row), error.detail, remedy)
    if files.exists(path):
        return None
    put_back = f"Put {path} back into the home folder, or activate another model."
    if not row.model.is_active:
        return Finding("file_missing", format_name(row), f"{path} does not exist.", put_back)
    compiled = row.record is not None and store.find(compute_key(store, row)) is not None
    consequence = "its compiled copy is served" if compiled else "no server can load it"
    return Finding(
        "active_file_missing", format_name(row), f"{path} of the active model does not exist; {consequence}.", put_back
    )


def compute_key(store: CompiledStore, row: Row) -> str:
    """Return the key of the row's float32 entry in the compiled store; raises ValueError for a row without a record."""
    if row.record is None:
        raise ValueError(f"{format_name(row)} has no record")
    registered = RegisteredFile.from_rows(row.model, row.record)
    return store.compute_key(registered.facts.digest, registered.spec)


def _check_content(files: ModelFiles, row: Row) -> list[Finding]:
    if row.record is None or not files.compare(row.model.file_path, collect_facts(row.record)).changed:
        return []
    what = f"{row.model.file_path} is no longer the file that was registered ({row.record.digest[:12]}…)."
    return [
        Finding(
            "file_changed",
            format_name(row),
            what,
            "Put the registered file back, or register this one as another model.",
        )
    ]


def _check_spec(files: ModelFiles, store: CompiledStore, row: Row) -> list[Finding]:
    """Find a sidecar that cannot be read or is no longer what was recorded, and a live model without label names."""
    try:
        files.read_sidecar(row.model.file_path)
    except SpecInvalid as error:
        return [Finding("sidecar_unreadable", format_name(row), error.detail, "Correct the file, or remove it.")]
    if row.record is None:
        return []
    name, model_id = format_name(row), row.model.model_id
    activate = f"To answer with the present spec: understudy activate {model_id}"
    reading = read_spec_now(files, RegisteredFile.from_rows(row.model, row.record))
    found = [Finding("sidecar_differs", name, note, activate, FindingState.NOTED) for note in reading.notes]
    report = store.read_report(compute_key(store, row)) if row.model.is_active else None
    if report is not None and has_invented_labels(report):
        what = describe_unnamed(model_id, live=True)
        remedy = f"understudy update {model_id} --labels FILE, then: understudy activate {model_id}"
        found.append(Finding("labels_unnamed", name, what, remedy, FindingState.NOTED))
    return found


async def _check_record(registry: Registry, row: Row, *, fix: bool) -> Finding:
    finding = Finding(
        "file_unrecorded",
        format_name(row),
        f"{row.model.file_path} was never read: a later change would not be noticed.",
        "Read it now: understudy doctor --fix",
    )
    if not fix:
        return finding
    try:
        await registry.ensure_file_record(row.model.model_id)
    except UnderstudyError as error:
        return Finding("file_unrecorded", format_name(row), error.detail, error.remedy)
    return finding.as_fixed()
