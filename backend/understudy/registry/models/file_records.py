"""Evidence about model files: taking it down, and what became of it in the compiler."""

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
    """A model's identity and the evidence about its file; `spec` is what was given over what the sidecar says."""

    model_id: int
    model_name: str
    version: str | None
    facts: FileFacts
    spec: PartialSpec | None
    compile_state: CompileState
    twin: str | None = None

    @classmethod
    def of(cls, model: MlModel, record: FileRecord) -> "RegisteredFile":
        """Raises SpecInvalid for a recorded spec that this version does not accept."""
        return cls(
            model_id=model.model_id,
            model_name=model.model_name,
            version=model.version,
            facts=FileFacts(record.file_path, record.digest, record.bytes, record.fingerprint),
            spec=read_recorded_spec(model, record.spec),
            compile_state=CompileState(record.compile_state),
            twin=record.twin,
        )


def read_recorded_spec(model: MlModel, stored: dict[str, object] | None) -> PartialSpec | None:
    """A spec as it was recorded, perhaps by another version or by hand; raises SpecInvalid."""
    try:
        return None if stored is None else PartialSpec.model_validate(stored)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SpecInvalid(
            f"The recorded spec of model {model.model_id} ({model.model_name}), field {field}: {first['msg']}.",
            remedy="Delete the model's record and register its file again with a spec that holds.",
        ) from error


def merge_specs(given: PartialSpec | None, sidecar: PartialSpec | None) -> PartialSpec | None:
    """What was given at registration over what the sidecar says."""
    if given is None or sidecar is None:
        return given or sidecar
    return given.over(sidecar)


def evidence(model: MlModel, facts: FileFacts, *, given: PartialSpec | None, sidecar: PartialSpec | None) -> FileRecord:
    """What is taken down about the model's file, not compiled yet."""
    return FileRecord(
        model_id=model.model_id,
        file_path=model.file_path,
        digest=facts.digest,
        bytes=facts.bytes,
        fingerprint=facts.fingerprint,
        given_spec=_json(given),
        spec=_json(merge_specs(given, sidecar)),
        compile_state=CompileState.NOT_COMPILED,
        compile_error=None,
        twin=None,
        recorded_at=utc_now(),
    )


async def put(
    session: AsyncSession, row: Row, facts: FileFacts, *, given: PartialSpec | None, sidecar: PartialSpec | None
) -> FileRecord:
    """Take down the evidence in place of any about another file; the caller holds the row."""
    kept = await session.merge(evidence(row.model, facts, given=given, sidecar=sidecar))
    await session.flush()
    return kept


def _json(spec: PartialSpec | None) -> dict[str, object] | None:
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
    """Set what the compiler made of the file with this digest; False when the model has another file by now.

    The first time a file becomes ready goes into the history as `compiled`. `error` is a problem document.
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


async def set_variant(session: AsyncSession, model_id: int, digest: str, twin: str) -> bool:
    """Note the latest int8 twin of the file with this digest; False when the model has another file by now."""
    changed = await session.execute(
        update(FileRecord)
        .where(FileRecord.model_id == model_id, FileRecord.digest == digest)
        .values(twin=twin)
        .returning(FileRecord.model_id)
    )
    return changed.scalar_one_or_none() is not None
