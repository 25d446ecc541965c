"""Writes the records of model files: their digest, their spec and the state of their compilation."""

from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from understudy.errors import SpecInvalid
from understudy.models import CompileState, FileRecord, HistoryEvent, MlModel, utc_now
from understudy.registry.files.model_files import FileFacts
from understudy.registry.models import model_history
from understudy.registry.models.rows import Row
from understudy.schemas.compiler.spec import PartialSpec


@dataclass(frozen=True)
class RegisteredFile:
    """A model's identity and the recorded facts about its file.

    `spec` is the spec given at registration, over the spec of the sidecar. `int8_variant` is the key of the latest
    int8 variant in the compiled store, or None.
    """

    model_id: int
    model_name: str
    version: str | None
    facts: FileFacts
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
            spec=read_recorded_spec(model, record.spec),
            compile_state=CompileState(record.compile_state),
            int8_variant=record.twin,
        )


def read_recorded_spec(model: MlModel, stored: dict[str, object] | None) -> PartialSpec | None:
    """Parse a recorded spec; raises SpecInvalid when another version or a person wrote one that is not valid here."""
    try:
        return None if stored is None else PartialSpec.model_validate(stored)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SpecInvalid(
            f"The recorded spec of model {model.model_id} ({model.model_name}), field {field}: {first['msg']}.",
            remedy=f"Run `understudy delete {model.model_id}`, then register the file again with a valid spec.",
        ) from error


def merge_specs(given: PartialSpec | None, sidecar: PartialSpec | None) -> PartialSpec | None:
    """Return the spec given at registration, with the fields that it leaves open taken from the sidecar."""
    if given is None or sidecar is None:
        return given or sidecar
    return given.over(sidecar)


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
        given_spec=_to_json(given),
        spec=_to_json(merge_specs(given, sidecar)),
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


def _to_json(spec: PartialSpec | None) -> dict[str, object] | None:
    return None if spec is None else spec.model_dump(mode="json", exclude_none=True)


async def set_compile_state(
    session: AsyncSession,
    model_id: int,
    digest: str,
    state: CompileState,
    error: dict[str, object] | None = None,
    *,
    actor: str = "server",
) -> bool:
    """Set the compile state of the file with this digest; False when the model has another file by now.

    A change to READY is written to the history as `compiled`. `error` is the problem document of a refusal.
    """
    changed = await session.execute(
        update(FileRecord)
        .where(FileRecord.model_id == model_id, FileRecord.digest == digest)
        .where((FileRecord.compile_state != state) | (FileRecord.compile_state == CompileState.REFUSED))
        .values(compile_state=state, compile_error=error)
        .returning(FileRecord.model_id)
    )
    if changed.scalar_one_or_none() is None:
        return False
    if state is CompileState.READY:
        await model_history.record(session, HistoryEvent.COMPILED, model_id, actor=actor)
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
