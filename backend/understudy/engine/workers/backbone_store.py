"""Keeps backbones by their digest in a folder that the workers may read."""

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from understudy.backbones.store import MANIFEST_FILE
from understudy.engine.engine import BackboneFile
from understudy.errors import BackboneMissing


def keep_backbone(backbone: BackboneFile, folder: Path) -> BackboneFile:
    """Return the backbone below `folder`: linked, or copied where the file system has no links.

    YAMNet becomes the file `<digest>.onnx`, and an installed backbone the folder `<digest>`. So a worker that starts
    later loads the same bytes, whatever has become of the installed file. Raises BackboneMissing where the file cannot
    be read, and OSError where the folder cannot be written.
    """
    if backbone.path.name == MANIFEST_FILE:
        kept = folder / backbone.digest
        if not kept.exists():
            _keep(backbone.path.parent, kept)
        return BackboneFile(kept / MANIFEST_FILE, backbone.digest)
    kept = folder / f"{backbone.digest}.onnx"
    if not kept.exists():
        _keep(backbone.path, kept)
    return BackboneFile(kept, backbone.digest)


def _keep(source: Path, kept: Path) -> None:
    """Make `kept` from a file or folder, so that it is complete or not there."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_name(f".new-{uuid.uuid4().hex}")
    try:
        if source.is_dir():
            shutil.copytree(source, temporary, copy_function=_link)
        else:
            _link(source, temporary)
        with suppress(FileExistsError):  # another process was faster
            temporary.rename(kept)
    except FileNotFoundError as error:
        raise BackboneMissing(f"There is no backbone at {source}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):
            temporary.unlink()


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)
