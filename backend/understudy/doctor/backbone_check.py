"""The YAMNet backbone, where models need it."""

from collections.abc import Iterator, Sequence

from understudy.compiler.compiled_store import CompiledStore
from understudy.doctor.finding import Finding
from understudy.doctor.model_files_check import key_of, name
from understudy.errors import BackboneMissing
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.rows import Row
from understudy.settings import Settings


def check(settings: Settings, rows: Sequence[Row]) -> Iterator[Finding]:
    """A backbone that is absent or broken while heads are registered; it is not fetched without being asked for."""
    heads = [row for row in rows if _is_head(settings, row)]
    if not heads:
        return
    from understudy.inference.pipeline.yamnet_backbone import Backbone

    path = settings.backbone_path
    try:
        Backbone.load(path)
    except BackboneMissing as error:
        needed = ", ".join(name(row) for row in heads)
        yield Finding("backbone_missing", str(path), f"{error.detail} It is needed by {needed}.", error.remedy)


def _is_head(settings: Settings, row: Row) -> bool:
    """As the compiled form says, or before there is one as the spec says."""
    if row.record is None:
        return False
    store = CompiledStore(settings.compiled_dir)
    compiled = store.find(key_of(store, row))
    if compiled is not None:
        return compiled.report.spec.input.on_backbone
    spec = RegisteredFile.from_rows(row.model, row.record).spec
    return spec is not None and spec.input is not None and spec.input.on_backbone
