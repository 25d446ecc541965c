"""Which models exist and which of them should be live."""

from app.registry.database import Database
from app.registry.file_records import RegisteredFile
from app.registry.files import FileFacts, FileState, ModelFiles
from app.registry.registry import Registry

__all__ = ["Database", "FileFacts", "FileState", "ModelFiles", "RegisteredFile", "Registry"]
