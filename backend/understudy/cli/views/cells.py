"""Cells and grids that the views share."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.framework.output import strip_controls

ABSENT = "-"


def to_text(value: object, style: str = "") -> Text:
    """A value from a row or a file, safe to print."""
    return Text(ABSENT if value is None or value == "" else strip_controls(str(value)), style)


def format_time(value: datetime | None) -> Text:
    """Local time to the second."""
    return to_text(None if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M:%S"))


def format_bytes(count: int | None) -> str:
    """Bytes with a decimal unit."""
    if count is None:
        return ABSENT
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def build_fact_table(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Names and values, one a line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    return grid
