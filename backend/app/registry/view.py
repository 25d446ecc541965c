"""Rows as the API shows them."""

from app.models import CompileState, FileRecord
from app.registry.files import FileFacts, FileState
from app.registry.rows import Row
from app.schemas.model import ModelOut


def facts_of(record: FileRecord | None) -> FileFacts | None:
    """What was recorded of the file, under the path as the row spells it."""
    if record is None:
        return None
    return FileFacts(record.file_path, record.digest, record.bytes, record.fingerprint)


def shown(row: Row, state: FileState) -> ModelOut:
    model, record = row.model, row.record
    return ModelOut(
        model_id=model.model_id,
        model_name=model.model_name,
        version=model.version,
        file_path=model.file_path,
        description=model.description,
        model_type=model.model_type,
        accuracy=model.accuracy,
        created_at=model.created_at,
        updated_at=model.updated_at,
        is_active=bool(model.is_active),
        created_by_user_id=model.created_by_user_id,
        file_exists=state.exists,
        file_changed=state.changed,
        file_bytes=state.bytes,
        digest=record.digest if record else None,
        compile_state=record.compile_state if record else CompileState.NOT_COMPILED,
        compile_error=record.compile_error if record else None,
    )
