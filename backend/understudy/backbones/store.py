"""The installed backbones on disk, each in a folder named by its digest."""

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from understudy.errors import BackboneMissing
from understudy.files.regular_file import open_regular, read_regular
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.spec import BackboneReference, PartialSpec
from understudy.yamnet.constants import NAME as YAMNET

MANIFEST_FILE = "backbone.json"
PROBES_FILE = "probes.npz"
_TEMPORARY = ".new-"
_LONGEST_INSTALLATION = 3600.0  # seconds


class BackboneStore:
    """A folder with one folder for each backbone: backbone.json, probes.npz and model.onnx or model.tflite.

    A folder appears complete or not at all, and never changes afterwards. After another file was installed under a
    name, the earlier one stays while models need it: the name means the one that was installed last.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate(self, digest: str) -> Path:
        """Return the folder of a backbone, which need not exist."""
        return self.root / digest

    def list_all(self) -> list[BackboneManifest]:
        """Return every backbone that can be read, ordered by name, of one name the newest first."""
        found = sorted(self._read_all(), key=lambda each: each.installed_at, reverse=True)
        return sorted(found, key=lambda each: each.name)

    def list_unreadable(self) -> list[Path]:
        """Return the entries of the folder that are not complete backbones, ordered by name.

        The scratch folder of an installation is among them only when it has been left over.
        """
        found = sorted(self.root.iterdir()) if self.root.is_dir() else []
        return [entry for entry in found if read_backbone(entry) is None and not _is_recent_scratch(entry)]

    def find_digest(self, digest: str) -> BackboneManifest | None:
        """Return the backbone of the digest, or None."""
        return read_backbone(self.locate(digest))

    def find(self, reference: BackboneReference) -> BackboneManifest | None:
        """Return the backbone of the digest or, where the reference has none, the newest of the name."""
        if reference.digest is not None:
            return self.find_digest(reference.digest)
        return next((each for each in self.list_all() if each.name == reference.name), None)

    def require(self, reference: BackboneReference) -> BackboneManifest:
        """Return the backbone; raises BackboneMissing, which names the command that installs it."""
        found = self.find(reference)
        if found is None:
            raise self._build_missing(reference)
        return found

    def pin(self, spec: PartialSpec) -> PartialSpec:
        """Return the spec with the digest of the backbone that it names; raises BackboneMissing."""
        if spec.backbone is None or spec.backbone.digest is not None:
            return spec
        found = self.require(spec.backbone)
        return spec.model_copy(update={"backbone": BackboneReference(name=found.name, digest=found.digest)})

    def keep(self, spec: PartialSpec, recorded: PartialSpec | None) -> PartialSpec:
        """Return the spec with the digest of the backbone that it names: the recorded one where the name is the same.

        So a model stays on the backbone that it was registered with. Where the backbone is not installed the spec stays
        as it is: compiling it raises BackboneMissing.
        """
        if spec.backbone is None or spec.backbone.digest is not None:
            return spec
        before = recorded.backbone if recorded is not None else None
        if before is not None and before.name == spec.backbone.name and before.digest is not None:
            return spec.model_copy(update={"backbone": before})
        return spec if self.find(spec.backbone) is None else self.pin(spec)

    def add(self, made: Path, backbone: BackboneManifest) -> Path:
        """Move the folder `made` of a compiled model into the store, with the manifest, and return where it lies."""
        (made / MANIFEST_FILE).write_text(backbone.model_dump_json(indent=2), encoding="utf-8")
        if self.locate(backbone.digest).exists():
            self.remove(backbone.digest)
        return made.rename(self.locate(backbone.digest))

    def make_scratch(self) -> Path:
        """Return a new empty folder on the store's disk, which the caller removes."""
        folder = self.root / f"{_TEMPORARY}{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        return folder

    def remove(self, digest: str) -> None:
        """Delete a backbone. A server that has loaded it keeps it in memory."""
        hidden = self.root / f"{_TEMPORARY}{uuid.uuid4().hex}"
        self.locate(digest).rename(hidden)
        shutil.rmtree(hidden)

    def _read_all(self) -> Iterator[BackboneManifest]:
        for folder in self.root.iterdir() if self.root.is_dir() else []:
            if (found := read_backbone(folder)) is not None:
                yield found

    def _build_missing(self, reference: BackboneReference) -> BackboneMissing:
        named = [each for each in self.list_all() if each.name == reference.name]
        install = f"understudy backbone install {reference.name} FILE.onnx --spec SPEC.json"
        if reference.digest is not None and named:
            return BackboneMissing(
                f"The model was made for the backbone {reference.name!r} with the digest {reference.digest[:12]}, and "
                f"the one that is installed has {named[0].digest[:12]}.",
                remedy=f"Install the file that the model was made for: {install}. To move the model to the installed "
                "one, give its spec again: understudy update MODEL_ID --spec FILE. Check it by its examples.",
            )
        names = ", ".join(dict.fromkeys([YAMNET, *(each.name for each in self.list_all())]))
        return BackboneMissing(
            f"The backbone {reference.name!r} is not installed.",
            remedy=f"Install it: {install}. `understudy backbone list` lists what is installed: {names}.",
        )


def _is_recent_scratch(entry: Path) -> bool:
    return entry.name.startswith(_TEMPORARY) and time.time() - entry.stat().st_mtime < _LONGEST_INSTALLATION


def compute_backbone_digest(document: Any) -> str:
    """Return the SHA-256 over what an embedding depends on, from the JSON values of a manifest.

    The values are those that the installation wrote, so that a later version with more fields computes the same.
    """
    parts = {"source": document["report"]["source_digest"], "spec": document["spec"], "output": document["output"]}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _compute_digest(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_backbone(
    folder: Path, backbone: BackboneManifest, compute_digest: Callable[[Path], str] = _compute_digest
) -> bool:
    """Return whether graph and probes in `folder` are those that the manifest describes; blocks on the disk.

    `compute_digest` returns the SHA-256 of a file and raises OSError.
    """
    report = backbone.report
    wanted = {report.runtime.file_name: report.onnx_digest, PROBES_FILE: report.probes_digest}
    try:
        return all(compute_digest(folder / name) == digest for name, digest in wanted.items() if digest is not None)
    except OSError:
        return False


def read_backbone(folder: Path, digest: str | None = None) -> BackboneManifest | None:
    """Return the manifest of a complete backbone; None for any other folder, and for a manifest that was changed.

    `digest` is that of the backbone; by default the folder is named by it.
    """
    try:
        content = read_regular(folder / MANIFEST_FILE)
        found = BackboneManifest.model_validate_json(content)
    except (OSError, ValidationError):
        return None
    if (digest or folder.name) != found.digest or compute_backbone_digest(json.loads(content)) != found.digest:
        return None
    return found if (folder / found.report.runtime.file_name).is_file() else None
