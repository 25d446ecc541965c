"""Checks the backbones that registered models need, and those that are installed."""

from collections.abc import Iterator, Sequence

from understudy.backbones.store import MANIFEST_FILE, BackboneStore
from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import compute_key, format_name
from understudy.errors import BackboneMissing
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.table.rows import Row
from understudy.schemas.compiler.spec import BackboneReference, PartialSpec, Spec
from understudy.settings import Settings


def check(settings: Settings, rows: Sequence[Row]) -> Iterator[Finding]:
    """Find missing or broken backbones while models need them, and folders beside them that are no backbone.

    None is ever downloaded or removed without a command.
    """
    users: dict[BackboneReference | None, list[Row]] = {}
    for row in rows:
        spec = _find_spec(settings, row)
        if spec is not None and spec.input is not None and spec.input.on_backbone:
            wanted = spec.backbone and BackboneReference(name=spec.backbone.name, digest=spec.backbone.digest)
            users.setdefault(wanted, []).append(row)
    store = BackboneStore(settings.named_backbones_dir)
    for wanted, needing in users.items():
        if (error := _find_fault(settings, store, wanted)) is not None:
            place = settings.backbone_path if wanted is None else store.root
            needed = ", ".join(format_name(row) for row in needing)
            yield Finding("backbone_missing", str(place), f"{error.detail} It is needed by {needed}.", error.remedy)
    for folder in store.list_unreadable():
        yield Finding(
            "backbone_unreadable",
            str(folder),
            "This folder is not a complete backbone, so nothing uses it.",
            "Remove it, and install the backbone again where a model needs it: understudy backbone install NAME FILE.",
        )


def _find_fault(settings: Settings, store: BackboneStore, wanted: BackboneReference | None) -> BackboneMissing | None:
    from understudy.inference.clip_input.backbone_loading import load_backbone

    try:
        if wanted is None:
            load_backbone(settings.backbone_path)
        else:
            load_backbone(store.locate(store.require(wanted).digest) / MANIFEST_FILE)
    except BackboneMissing as error:
        return error
    return None


def _find_spec(settings: Settings, row: Row) -> Spec | PartialSpec | None:
    """Return the spec that the model runs with: of its compiled report, or the recorded one before it is compiled."""
    if row.record is None:
        return None
    store = CompiledStore(settings.compiled_dir)
    compiled = store.find(compute_key(store, row))
    return RegisteredFile.from_rows(row.model, row.record).spec if compiled is None else compiled.report.spec
