"""The cells and tables that the views share."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.framework.output import strip_controls

ABSENT = "-"


def to_text(value: object, style: str = "") -> Text:
    """Return a value from a row or a file as text that is safe to print; `-` for None and for an empty string."""
    return Text(ABSENT if value is None or value == "" else strip_controls(str(value)), style)


def format_time(value: datetime | None) -> Text:
    """Return the local time to the second, or `-`."""
    return to_text(None if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M:%S"))


def format_bytes(count: int | None) -> str:
    """Return a count of bytes with a decimal unit, or `-`."""
    if count is None:
        return ABSENT
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def build_fact_table(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    """Return a table of names and values, one pair on each line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    return grid
