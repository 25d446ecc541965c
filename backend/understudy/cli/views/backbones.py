"""Shows installed backbones."""

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import build_fact_table, format_bytes, to_text
from understudy.schemas.compiler.backbone import BackboneManifest


def format_backbone(backbone: BackboneManifest) -> RenderableType:
    """Return the facts about one backbone."""
    return build_fact_table(
        [
            ("name", to_text(backbone.name)),
            ("digest", to_text(backbone.digest)),
            ("embedding", to_text(f"{backbone.width} values, output {backbone.output}")),
            ("takes", to_text(f"{backbone.report.inputs[0]}")),
            ("sound", to_text(_describe_sound(backbone))),
            ("file", to_text(f"{backbone.report.format}, {format_bytes(backbone.report.onnx_bytes)} as served")),
            ("isolation", to_text(", ".join(backbone.report.isolation))),
        ]
    )


def format_list(found: Sequence[tuple[BackboneManifest, Sequence[str]]]) -> RenderableType:
    """Return a table of backbones, each with the models that need it."""
    if not found:
        return Text("No backbone is installed under a name. For YAMNet: understudy backbone status", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "digest", "values", "sound", "models"):
        table.add_column(heading)
    for backbone, models in found:
        table.add_row(
            to_text(backbone.name),
            to_text(backbone.digest[:12]),
            to_text(backbone.width),
            to_text(_describe_sound(backbone)),
            to_text(", ".join(models)),
        )
    return table


def _describe_sound(backbone: BackboneManifest) -> str:
    spec = backbone.spec
    rate = "the recording's own rate" if spec.sample_rate == "file" else f"{spec.sample_rate} Hz"
    if spec.window_seconds is None:
        return f"{rate}, windows of any length"
    return f"{rate}, {spec.window_seconds:g} s every {spec.hop_seconds or spec.window_seconds:g} s"
