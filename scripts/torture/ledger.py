"""Records the changes that a server acknowledged, which it must still hold after a crash."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Pending:
    """A change that was sent; after a crash before its answer it may have been done or not."""

    operation: str
    model_id: int | None = None
    name: str | None = None
    digest: str | None = None


@dataclass
class Ledger:
    """Everything that was acknowledged. `labels` holds what the file of a path or of a model answers."""

    names: dict[int, str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    uploads: dict[str, str] = field(default_factory=dict)
    """Names of files in `models/` and the digests of their content."""
    file_labels: dict[str, str] = field(default_factory=dict)
    active: int | None = None
    pending: Pending | None = None

    def find_faults(self, models: Sequence[Mapping[str, Any]], folder: Path) -> Iterator[str]:
        """Yield a sentence for each acknowledged change that is not in the models listed or in the files of `folder`.

        What was pending is taken over as it was found.
        """
        pending, self.pending = self.pending or Pending("none"), None
        yield from self._compare_rows(models, pending)
        yield from self._compare_active(models, pending)
        yield from self._compare_files(models, folder, pending)

    def _compare_rows(self, models: Sequence[Mapping[str, Any]], pending: Pending) -> Iterator[str]:
        found = {each["model_id"]: each for each in models}
        for model_id in sorted(set(self.names) - set(found)):
            del self.names[model_id]
            if (pending.operation, pending.model_id) == ("delete", model_id):
                self.deleted.add(model_id)
            else:
                yield f"model {model_id} was acknowledged and is gone"
        for model_id in sorted(set(found) & self.deleted):
            yield f"model {model_id} was deleted, which was acknowledged, and is there again"
        for model_id, row in found.items():
            expected, name = self.names.get(model_id), row["model_name"]
            self.names[model_id] = name
            self.labels[model_id] = self.file_labels[row["file_path"]]
            if expected is None:
                if (pending.operation, pending.name) != ("register", name):
                    yield f"nobody registered model {model_id}, {name}"
            elif name != expected and (pending.operation, pending.model_id, pending.name) != ("rename", model_id, name):
                yield f"model {model_id} is called {name}, and {expected} was acknowledged"

    def _compare_active(self, models: Sequence[Mapping[str, Any]], pending: Pending) -> Iterator[str]:
        active = [each["model_id"] for each in models if each["is_active"]]
        allowed = {self.active} | ({pending.model_id} if pending.operation == "activate" else set())
        if len(active) > 1:
            yield f"the models {active} are active at once"
        now = active[0] if active else None
        if now not in allowed:
            yield f"model {now} is active, and {sorted(map(str, allowed))} was acknowledged or asked for"
        self.active = now

    def _compare_files(self, models: Sequence[Mapping[str, Any]], folder: Path, pending: Pending) -> Iterator[str]:
        for row in models:
            if not row["file_exists"] or row["file_changed"]:
                yield f"the file of model {row['model_id']}, {row['file_path']}, is not the one that was registered"
        if pending.operation == "upload" and pending.name is not None and (folder / pending.name).exists():
            self.uploads[pending.name] = pending.digest or ""
        for name, digest in self.uploads.items():
            path = folder / name
            if not path.exists():
                yield f"the upload {name} was acknowledged and is gone"
            elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                yield f"the upload {name} is not what was sent"
