"""Checks the examples: clips that are missing, files that nothing needs, and a live model that misses its examples."""

from collections.abc import Sequence

from anyio.to_thread import run_sync

from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import format_name
from understudy.files.disk_errors import translate_disk_errors
from understudy.registry.database.database import Database
from understudy.registry.files.example_clips import ExampleClips
from understudy.registry.models import example_rows
from understudy.registry.models.table.rows import Row
from understudy.schemas.registry.examples import ExampleSet, ProofState
from understudy.settings import Settings

_REMOVE = "Remove it: understudy doctor --fix"


async def check(settings: Settings, database: Database, rows: Sequence[Row], *, fix: bool) -> list[Finding]:
    """Find faults of the examples of every model file.

    With `fix`, examples of files that no registered model has are removed, and clips that no example names. The lock of
    the examples is held, so that none is half written while the check runs.
    """
    clips = ExampleClips(settings)
    async with database.read(seconds=database.long_seconds) as session:
        known = await example_rows.list_digests(session)
    folders = await run_sync(clips.list_folders)
    if not known and not folders:
        return []
    async with clips.lock() if fix else clips.lock_if_present():
        found = await _check_unregistered(database, fix=fix)
        for digest in sorted({*known, *folders}):
            async with database.read(seconds=database.long_seconds) as session:
                examples = await example_rows.find(session, digest)
            found += await run_sync(_check_unneeded, settings, clips, digest, examples, fix)
            owners = [row for row in rows if row.record is not None and row.record.digest == digest]
            if examples is not None and owners:
                found += await run_sync(_check_clips, clips, digest, examples, owners[0])
    return [*found, *await _check_live(settings, database, rows)]


async def _check_unregistered(database: Database, *, fix: bool) -> list[Finding]:
    what = "These examples belong to a model file that no registered model has."
    found = []
    async with database.read(seconds=database.long_seconds) as session:
        digests = await example_rows.list_unregistered(session)
    for digest in digests:
        finding = Finding("examples_unreferenced", f"var/examples/{digest}", what, _REMOVE)
        if fix:
            async with database.write(seconds=database.long_seconds) as session:
                await example_rows.remove(session, digest)
        found.append(finding.as_fixed() if fix else finding)
    return found


def _check_unneeded(
    settings: Settings, clips: ExampleClips, digest: str, examples: ExampleSet | None, fix: bool
) -> list[Finding]:
    unneeded = clips.list_unneeded(digest, examples)
    if not unneeded:
        return []
    what = f"{len(unneeded)} clips belong to no example."
    finding = Finding("example_clips_unneeded", str(settings.examples_dir / digest), what, _REMOVE)
    if not fix:
        return [finding]
    with translate_disk_errors(settings.examples_dir):
        clips.keep_only(digest, examples)
    return [finding.as_fixed()]


def _check_clips(clips: ExampleClips, digest: str, examples: ExampleSet, row: Row) -> list[Finding]:
    absent = [each.file for each in examples.examples if clips.read(digest, each) is None]
    if not absent:
        return []
    what = f"{len(absent)} clips of its examples are missing or damaged here, the first is {absent[0]}."
    remedy = (
        "Share var/examples between the machines, or give the examples again: "
        f"understudy update {row.model.model_id} --examples FILE"
    )
    return [Finding("example_clips_missing", format_name(row), what, remedy)]


async def _check_live(settings: Settings, database: Database, rows: Sequence[Row]) -> list[Finding]:
    """Find a live model that was given examples after it went live, and does not answer as they say."""
    store = CompiledStore(settings.compiled_dir)
    found = []
    async with database.read(seconds=database.long_seconds) as session:
        for row in rows:
            if not row.model.is_active:
                continue
            summary = await example_rows.summarize(session, store, row)
            if summary.state is ProofState.MISSED:
                what = f"The live model does not answer as its examples say: {summary.text}"
                remedy = f"See every clip: understudy examples {row.model.model_id}; or go back: understudy rollback"
                found.append(Finding("examples_missed", format_name(row), what, remedy))
    return found
