"""Keeps backbones by their digest in a folder that the workers may read."""

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from understudy.engine.engine import BackboneFile
from understudy.errors import BackboneMissing


def keep_backbone(backbone: BackboneFile, folder: Path) -> BackboneFile:
    """Return the backbone as `<digest>.onnx` in `folder`: linked, or copied where the file system has no links.

    So a worker that starts later loads the same bytes, whatever has become of the installed file. Raises
    BackboneMissing where the file cannot be read, and OSError where the folder cannot be written.
    """
    kept = folder / f"{backbone.digest}.onnx"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".new-{uuid.uuid4().hex}"
        try:
            try:
                os.link(backbone.path, temporary)
            except FileNotFoundError as error:
                raise BackboneMissing(f"There is no YAMNet backbone at {backbone.path}.") from error
            except OSError:
                shutil.copyfile(backbone.path, temporary)
            temporary.replace(kept)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
    return BackboneFile(kept, backbone.digest)
