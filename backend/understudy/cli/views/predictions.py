"""Shows the log of predictions."""

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import format_time, to_text
from understudy.schemas.registry.logged_prediction import LoggedPredictionPage


def format_predictions(page: LoggedPredictionPage) -> RenderableType:
    if not page.predictions:
        return Text("No prediction is logged.", "dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("when", "by", "model", "label", "score", "recording"):
        table.add_column(heading, overflow="fold")
    for each in page.predictions:
        table.add_row(
            format_time(each.at),
            to_text(each.principal_name),
            to_text(f"{each.model_id} {each.model_name} {each.version or ''}".strip()),
            to_text(each.label),
            to_text(f"{each.score:.4f}"),
            to_text(each.clip_digest[:12]),
        )
    return table
