"""Converts rows to the answers of the API."""

from collections.abc import Mapping
from typing import Any

from understudy.models import CompileState, FileRecord, MlModel
from understudy.registry.files.model_files import FileFacts, FileState
from understudy.registry.models.table.rows import Row
from understudy.schemas.registry.model import ModelOut

RECORD_COLUMNS = ("digest", "bytes", "fingerprint", "compile_state", "compile_error")
_COLUMNS = tuple(MlModel.__table__.c.keys())


def collect_facts(record: FileRecord | None) -> FileFacts | None:
    """Return the recorded facts about the file, under the path as the row spells it."""
    if record is None:
        return None
    return FileFacts(record.file_path, record.digest, record.bytes, record.fingerprint)


def select_values(row: Row) -> dict[str, Any]:
    """Return the columns of the row, and of its record those in `RECORD_COLUMNS`."""
    return {name: getattr(row.model, name) for name in _COLUMNS} | {
        name: getattr(row.record, name, None) for name in RECORD_COLUMNS
    }


def read_facts(values: Mapping[str, Any]) -> FileFacts | None:
    """Return the same as `collect_facts`, from the values of `select_values` or of a page of the list."""
    if values["digest"] is None:
        return None
    return FileFacts(values["file_path"], values["digest"], values["bytes"], values["fingerprint"])


def to_answer(values: Mapping[str, Any], state: FileState) -> ModelOut:
    """Return the model as the API answers it."""
    return ModelOut.model_validate(
        {
            **values,
            "is_active": bool(values["is_active"]),
            "file_exists": state.exists,
            "file_changed": state.changed,
            "file_bytes": state.bytes,
            "compile_state": values["compile_state"] or CompileState.NOT_COMPILED,
        }
    )
