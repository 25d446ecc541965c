"""Shows the history, latest entry first."""

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import format_time, to_text
from understudy.schemas.registry.model import HistoryPage

_STYLES = {"activated": "green", "rolled_back": "green", "refused": "red", "repaired": "yellow", "deactivated": "dim"}


def format_history(page: HistoryPage) -> RenderableType:
    """Return a page of the history as a table; a refusal has its remedy."""
    if not page.entries:
        return Text("The history is empty.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("when", "event", "model", "generation", "by", "detail"):
        table.add_column(heading, justify="right" if heading == "generation" else "left", overflow="fold")
    for entry in page.entries:
        detail = " ".join(part for part in (entry.detail, entry.remedy) if part)
        table.add_row(
            format_time(entry.at),
            Text(entry.event, _STYLES.get(entry.event, "")),
            to_text(f"{entry.model_id or ''} {entry.model_name or ''}".strip()),
            to_text(entry.generation),
            to_text(entry.actor),
            to_text(detail or entry.version),
        )
    return table
