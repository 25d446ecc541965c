"""Checks the YAMNet backbone when registered models need it."""

from collections.abc import Iterator, Sequence

from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import compute_key, format_name
from understudy.errors import BackboneMissing
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.rows import Row
from understudy.settings import Settings


def check(settings: Settings, rows: Sequence[Row]) -> Iterator[Finding]:
    """Find a missing or broken backbone while heads are registered. It is never downloaded without a command."""
    heads = [row for row in rows if _is_head(settings, row)]
    if not heads:
        return
    from understudy.inference.clip_input.yamnet_backbone import Backbone

    path = settings.backbone_path
    try:
        Backbone.load(path)
    except BackboneMissing as error:
        needed = ", ".join(format_name(row) for row in heads)
        yield Finding("backbone_missing", str(path), f"{error.detail} It is needed by {needed}.", error.remedy)


def _is_head(settings: Settings, row: Row) -> bool:
    """True when the model runs on the backbone: by its compiled report, or by its spec before it is compiled."""
    if row.record is None:
        return False
    store = CompiledStore(settings.compiled_dir)
    compiled = store.find(compute_key(store, row))
    if compiled is not None:
        return compiled.report.spec.input.on_backbone
    spec = RegisteredFile.from_rows(row.model, row.record).spec
    return spec is not None and spec.input is not None and spec.input.on_backbone
