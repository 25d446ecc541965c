"""Shows what was saved to a backup or restored from one."""

from rich.console import Group, RenderableType

from understudy.cli.views.cells import build_fact_table, to_text
from understudy.schemas.registry.backup import BackupReport


def format_report(report: BackupReport, verb: str) -> RenderableType:
    """Return the numbers of rows and files, and what is missing."""
    facts = [(name, to_text(f"{rows} rows")) for name, rows in report.tables.items()]
    facts.append(("files", to_text(f"{report.files}, {report.bytes} bytes")))
    lines: list[RenderableType] = [to_text(f"{verb} {report.archive}:", "bold"), build_fact_table(facts)]
    lines += [to_text(f"Note: {warning}", "yellow") for warning in report.warnings]
    return Group(*lines)
