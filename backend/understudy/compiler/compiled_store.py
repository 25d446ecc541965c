"""Compiled models on disk, each in a folder named by what it was made from."""

import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from understudy.compiler.model_source import compute_digest
from understudy.files.file_ownership import is_folder_owned, own_folder, remove_left_over_folders
from understudy.files.regular_file import read_regular
from understudy.schemas.compiler.quantization import Precision
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.runtime import Runtime
from understudy.schemas.compiler.spec import PartialSpec

COMPILER_VERSION = 1  # raise it whenever the same source and spec would compile to something else
VERSION_NAME = "understudy-compiler"  # its entry in a report's `versions`

MODEL_FILE = Runtime.ONNX.file_name
REPORT_FILE = "report.json"
PROBES_FILE = "probes.npz"
_TEMPORARY = ".new-"


@dataclass(frozen=True)
class CompiledModel:
    """A complete compiled model: `folder` holds report.json, probes.npz and model.onnx or model.tflite."""

    key: str
    folder: Path
    report: CompileReport

    @property
    def precision(self) -> Precision:
        """The precision of the graph's weights: int8 after quantization, else float32."""
        return self.report.quantization.precision if self.report.quantization else Precision.FLOAT32


@dataclass(frozen=True)
class StaleEntry:
    """An entry of the store that cannot be used, and why."""

    name: str
    folder: Path
    reason: str
    bytes: int


def _sync(path: Path) -> None:
    """Force a file or folder to disk. Windows cannot sync a folder, so there only files are synced."""
    if path.is_dir() and sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() or sys.platform != "win32" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class CompiledStore:
    """A content-addressed store: an entry appears complete or not at all, and never changes afterwards."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def compute_key(self, digest: str, given: PartialSpec | None) -> str:
        """Return the name of an entry: 40 hex digits of a SHA-256 over source digest, spec and compiler version."""
        spec = (given or PartialSpec()).to_document()
        parts = {"compiler": COMPILER_VERSION, "source": digest, "spec": spec}
        return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:40]

    def locate(self, key: str) -> Path:
        """Return the folder of an entry, which need not exist."""
        return self.root / key

    def _read(self, folder: Path) -> CompileReport | str:
        """Return the report of a usable entry, or the reason why the entry cannot be used."""
        if not (folder / REPORT_FILE).is_file():
            return f"{REPORT_FILE} missing"
        try:
            report = CompileReport.model_validate_json(read_regular(folder / REPORT_FILE))
        except ValidationError as error:
            return f"{REPORT_FILE} is not readable: {error.error_count()} errors"
        model = report.runtime.file_name
        if missing := [name for name in (model, PROBES_FILE) if not (folder / name).is_file()]:
            return f"{', '.join(missing)} missing"
        if report.key != folder.name:
            return f"{REPORT_FILE} belongs to {report.key}"
        if compute_digest(folder / model) != report.onnx_digest:
            return f"{model} is not the file that the report describes"
        if report.probes_digest is not None and compute_digest(folder / PROBES_FILE) != report.probes_digest:
            return f"{PROBES_FILE} is not the file that the report describes"
        return report

    def find(self, key: str) -> CompiledModel | None:
        """Return an entry whose files match their report; None when it is absent, incomplete or altered."""
        folder = self.locate(key)
        report = self._read(folder)
        return CompiledModel(key, folder, report) if isinstance(report, CompileReport) else None

    def read_report(self, key: str) -> CompileReport | None:
        """Return the report of an entry without reading its model; None when it is absent or cannot be read."""
        try:
            report = CompileReport.model_validate_json(read_regular(self.locate(key) / REPORT_FILE))
        except (OSError, ValidationError):
            return None
        return report if report.key == key else None

    def add(self, made: Path, report: CompileReport) -> CompiledModel:
        """Move model and probes from the folder `made` into the store and write `report` beside them.

        An entry with the same key is replaced. Raises OSError when the disk refuses.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        folder = self.locate(report.key)
        temporary = self.root / f"{_TEMPORARY}{uuid.uuid4().hex}"
        with own_folder(temporary):
            temporary.mkdir()
            files = (report.runtime.file_name, PROBES_FILE)
            for name in files:
                shutil.move(made / name, temporary / name)
            (temporary / REPORT_FILE).write_text(report.model_dump_json(indent=2), encoding="utf-8")
            for name in (*files, REPORT_FILE):
                _sync(temporary / name)
            _sync(temporary)
            if folder.exists():
                shutil.rmtree(folder)
            temporary.rename(folder)
            _sync(self.root)
        return CompiledModel(report.key, folder, report)

    def list_keys(self) -> Iterator[str]:
        """Yield the keys of all entries, usable or not, without the leftovers of interrupted writes."""
        if self.root.is_dir():
            yield from sorted(p.name for p in self.root.iterdir() if p.is_dir() and not p.name.startswith("."))

    def find_stale(self) -> list[StaleEntry]:
        """List entries that are incomplete, altered or of another compiler version, and leftovers of writes."""
        found = []
        for folder in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            if folder.name.startswith(_TEMPORARY):
                if is_folder_owned(folder):
                    continue
                reason = "left over from an interrupted write"
            elif not folder.is_dir():
                reason = "not a folder"
            else:
                report = self._read(folder)
                version = report.versions.get(VERSION_NAME) if isinstance(report, CompileReport) else None
                if not isinstance(report, CompileReport):
                    reason = report
                elif version != str(COMPILER_VERSION):
                    reason = f"made by compiler version {version}, this is {COMPILER_VERSION}"
                else:
                    continue
            size = sum(path.stat().st_size for path in [folder, *folder.rglob("*")] if path.is_file())
            found.append(StaleEntry(folder.name, folder, reason, size))
        return found

    def remove_left_over(self) -> None:
        """Remove what interrupted writes left, but nothing that a process writes now."""
        remove_left_over_folders(self.root, f"{_TEMPORARY}*")

    def remove(self, name: str) -> None:
        """Delete one entry or leftover by its name, if it exists."""
        path = self.root / Path(name).name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


class ScratchStore(CompiledStore):
    """Reads the entries of another store, and adds its own below `root`, a folder that its owner removes."""

    def __init__(self, root: Path, below: CompiledStore) -> None:
        super().__init__(root)
        self._below = below

    def find(self, key: str) -> CompiledModel | None:
        """Return an entry of either store, as `CompiledStore.find` does."""
        return self._below.find(key) or super().find(key)
