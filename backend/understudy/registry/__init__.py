"""Which models exist and which of them should be live."""

from understudy.registry.database.database import Database
from understudy.registry.files.model_files import FileFacts, FileState, ModelFiles
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.registry import Registry

__all__ = ["Database", "FileFacts", "FileState", "ModelFiles", "RegisteredFile", "Registry"]
