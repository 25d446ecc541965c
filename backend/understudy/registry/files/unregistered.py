"""Files in `models/` that no row refers to yet."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from anyio.to_thread import run_sync
from sqlalchemy import select

from understudy.models import MlModel
from understudy.registry.database.database import Database
from understudy.schemas.registry.model_file import UnregisteredFile
from understudy.settings import Settings

_KINDS = {".keras": "keras", ".h5": "h5", ".hdf5": "h5", ".tflite": "tflite", ".onnx": "onnx"}


async def find_unregistered_files(settings: Settings, database: Database) -> list[UnregisteredFile]:
    """Model files and SavedModel folders directly in `models/`, by name."""
    async with database.read() as session:
        registered = set(await session.scalars(select(MlModel.file_path)))
    found = await run_sync(lambda: list(_candidates(settings)))
    return [file for file in found if file.file_path not in registered]


def _candidates(settings: Settings) -> Iterator[UnregisteredFile]:
    if not settings.models_dir.is_dir():
        return
    for entry in sorted(settings.models_dir.iterdir()):
        if entry.name.startswith("."):
            continue
        folder = (entry / "saved_model.pb").is_file()
        kind = "saved_model" if folder else _KINDS.get(entry.suffix.lower())
        if kind is None or not (folder or entry.is_file()):
            continue
        yield UnregisteredFile(
            file_path=f"models/{entry.name}",
            bytes=_bytes(entry),
            modified_at=datetime.fromtimestamp(entry.stat().st_mtime, UTC),
            kind=kind,
        )


def _bytes(entry: Path) -> int:
    if entry.is_file():
        return entry.stat().st_size
    return sum(file.lstat().st_size for file in entry.rglob("*") if file.is_file())
