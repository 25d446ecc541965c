"""Shows the history, latest entry first."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import build_fact_table, format_time, to_text
from understudy.schemas.registry.model import HistoryPage, HistoryPrincipal, LiveModelAt

if TYPE_CHECKING:
    from understudy.registry.models.history.chain_audit import ChainReport

_STYLES = {
    "activated": "green",
    "rolled_back": "green",
    "refused": "red",
    "repaired": "yellow",
    "sealed": "dim",
    "deactivated": "dim",
}


def format_live_at(live: LiveModelAt) -> RenderableType:
    """Return what was live at the moment that was asked for, as facts."""
    if live.model_id is None:
        reason = "No model was live then." if live.since else "The history begins later, or no model was ever live."
        return to_text(reason)
    precision = live.precision if live.form == live.precision else f"{live.precision} ({live.form})"
    return build_fact_table(
        [
            ("live at", format_time(live.at)),
            ("model", to_text(f"{live.model_id} {live.model_name or ''} {live.version or ''}".strip())),
            ("digest", to_text(live.digest)),
            ("precision", to_text(precision)),
            ("since", format_time(live.since)),
            ("until", to_text("now") if live.until is None else format_time(live.until)),
            ("by", to_text(_format_actor(live.actor, live.principal))),
        ]
    )


def format_export(file: Path, report: "ChainReport") -> RenderableType:
    """Return what was written, and what the chain of hashes says."""
    rows: list[tuple[str, RenderableType]] = [
        ("written to", to_text(file)),
        ("entries", to_text(report.entries)),
        ("hash of the end", to_text(report.head)),
    ]
    if report.fault is not None:
        rows.append(("fault", to_text(report.fault, "red")))
    return build_fact_table(rows)


def _format_actor(actor: str | None, principal: HistoryPrincipal | None) -> str | None:
    """Return who asked, such as `anna (page)`."""
    if principal is None or principal.name is None:
        return actor
    return f"{principal.name} ({actor})"


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
            to_text(_format_actor(entry.actor, entry.principal)),
            to_text(detail or entry.version),
        )
    return table
