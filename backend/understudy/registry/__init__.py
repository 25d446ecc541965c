"""Which models exist and which of them should be live."""

from understudy.registry.database import Database
from understudy.registry.file_records import RegisteredFile
from understudy.registry.files import FileFacts, FileState, ModelFiles
from understudy.registry.registry import Registry

__all__ = ["Database", "FileFacts", "FileState", "ModelFiles", "RegisteredFile", "Registry"]
