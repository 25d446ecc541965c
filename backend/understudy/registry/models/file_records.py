"""Writes the records of model files: their digest, their spec and the state of their compilation."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import Conflict, SpecInvalid
from understudy.models import CompileState, FileRecord, HistoryEvent, MlModel, utc_now
from understudy.registry.files.model_files import FileFacts
from understudy.registry.models.history import model_history
from understudy.registry.models.specs.recorded_spec import (
    given_to_json,
    is_recorded,
    list_differences,
    merge_specs,
    read_recorded_spec,
    to_json,
)
from understudy.registry.models.table.rows import Row, select_rows
from understudy.schemas.access.actor import Source
from understudy.schemas.compiler.spec import PartialSpec


@dataclass(frozen=True)
class RegisteredFile:
    """A model's identity and the recorded facts about its file.

    `given` is the spec that a person gave, and `spec` the one that the model answers with; see `recorded_spec`.
    `int8_variant` is the key of the latest int8 variant in the compiled store, or None.
    """

    model_id: int
    model_name: str
    version: str | None
    facts: FileFacts
    given: PartialSpec | None
    spec: PartialSpec | None
    compile_state: CompileState
    int8_variant: str | None = None

    @classmethod
    def from_rows(cls, model: MlModel, record: FileRecord) -> "RegisteredFile":
        """Join the two rows; raises SpecInvalid for a recorded spec that this version does not accept."""
        return cls(
            model_id=model.model_id,
            model_name=model.model_name,
            version=model.version,
            facts=FileFacts(record.file_path, record.digest, record.bytes, record.fingerprint),
            given=read_recorded_spec(model, record.given_spec),
            spec=read_recorded_spec(model, record.spec),
            compile_state=CompileState(record.compile_state),
            int8_variant=record.twin,
        )


def build_record(
    model: MlModel, facts: FileFacts, *, given: PartialSpec | None, sidecar: PartialSpec | None
) -> FileRecord:
    """Return the record of a file that is not compiled yet."""
    return FileRecord(
        model_id=model.model_id,
        file_path=model.file_path,
        digest=facts.digest,
        bytes=facts.bytes,
        fingerprint=facts.fingerprint,
        given_spec=given_to_json(given),
        spec=to_json(merge_specs(given, sidecar)),
        compile_state=CompileState.NOT_COMPILED,
        compile_error=None,
        twin=None,
        recorded_at=utc_now(),
    )


async def replace(
    session: AsyncSession, row: Row, facts: FileFacts, *, given: PartialSpec | None, sidecar: PartialSpec | None
) -> FileRecord:
    """Write the record in place of an earlier one about another file; the caller has locked the row."""
    record = await session.merge(build_record(row.model, facts, given=given, sidecar=sidecar))
    await session.flush()
    return record


async def change_spec(session: AsyncSession, row: Row, given: PartialSpec, spec: PartialSpec | None) -> Row:
    """Store a changed spec, whose compiled model is still to be made. Of an active model, only what is given changes.

    The caller has locked the row. Raises Conflict for a row without a record.
    """
    if row.record is None:
        raise Conflict(f"The file of model {row.model.model_id} was changed meanwhile.")
    row.record.given_spec = given_to_json(given)
    if not row.model.is_active and not is_recorded(row.record.spec, spec):
        row.record.spec = to_json(spec)
        row.record.compile_state = CompileState.NOT_COMPILED
        row.record.compile_error = None
    await session.flush()
    return row


def is_spec_pending(row: Row) -> bool:
    """True when a person changed the spec after the model went live. A changed sidecar does not count.

    A record that is not valid here counts as unchanged.
    """
    if row.record is None:
        return False
    try:
        given = read_recorded_spec(row.model, row.record.given_spec)
        spec = read_recorded_spec(row.model, row.record.spec)
    except SpecInvalid:
        return False
    return bool(list_differences(merge_specs(given, None, spec), spec))


async def list_uncompiled(session: AsyncSession) -> list[RegisteredFile]:
    """Return the files that are neither compiled nor refused, the newest model first; those of unusable specs are not.

    Compilations that run now are among them.
    """
    return await _list_in(session, CompileState.COMPILING, CompileState.NOT_COMPILED)


async def list_compiled(session: AsyncSession) -> list[RegisteredFile]:
    """Return the files that are compiled, the newest model first; those of unusable specs are not."""
    return await _list_in(session, CompileState.READY)


async def _list_in(session: AsyncSession, *states: CompileState) -> list[RegisteredFile]:
    query = select_rows().where(FileRecord.compile_state.in_(states)).order_by(MlModel.model_id.desc())
    found = []
    for model, record in await session.execute(query):
        with suppress(SpecInvalid):
            found.append(RegisteredFile.from_rows(model, record))
    return found


async def take_over_spec(session: AsyncSession, row: Row, loaded: RegisteredFile) -> None:
    """Record the spec that `loaded` was compiled with, because it goes live with it.

    The caller has locked the row. Raises Conflict when another spec was given while the model was prepared.
    """
    given = read_recorded_spec(row.model, row.record.given_spec) if row.record else None
    if row.record is None or given_to_json(given) != given_to_json(loaded.given):
        raise Conflict(
            f"Model {loaded.model_id} was given another spec while this activation prepared it.",
            remedy=f"Activate it again: understudy activate {loaded.model_id}",
        )
    if not is_recorded(row.record.spec, loaded.spec):
        row.record.spec = to_json(loaded.spec)
        row.record.compile_state = CompileState.READY
        row.record.compile_error = None
        await session.flush()


async def set_compile_state(
    session: AsyncSession,
    model: RegisteredFile,
    state: CompileState,
    error: dict[str, object] | None = None,
    *,
    actor: str = Source.FOLLOW_UP,
    unless: CompileState | None = None,
) -> bool:
    """Set the compile state of a file; False when the model has another file or another spec, or is `unless`, by now.

    A change to READY is written to the history as `compiled`. `error` is the problem document of a refusal.
    """
    record = await session.get(FileRecord, model.model_id, with_for_update=True, populate_existing=True)
    if record is None or record.digest != model.facts.digest or not is_recorded(record.spec, model.spec):
        return False
    if record.compile_state == unless:
        return False
    if record.compile_state == state and state is not CompileState.REFUSED:
        return False
    before = {"compile_state": record.compile_state}
    record.compile_state, record.compile_error = state, error
    await session.flush()
    if state is CompileState.READY:
        after = {"compile_state": str(state)}
        await model_history.record(
            session, HistoryEvent.COMPILED, model.model_id, actor=actor, before=before, after=after
        )
    return True


async def set_int8_variant(session: AsyncSession, model_id: int, digest: str, key: str) -> bool:
    """Store the key of the latest int8 variant of the file with this digest; False when the model has another file."""
    changed = await session.execute(
        update(FileRecord)
        .where(FileRecord.model_id == model_id, FileRecord.digest == digest)
        .values(twin=key)
        .returning(FileRecord.model_id)
    )
    return changed.scalar_one_or_none() is not None
