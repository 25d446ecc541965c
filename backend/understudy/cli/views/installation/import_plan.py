"""Shows what an import of a foreign table copies."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from understudy.cli.views.cells import build_fact_table, to_text
from understudy.registry.table_import.import_plan import ImportPlan, PlannedRow, RowFate

_STYLES = {RowFate.COPY: "green", RowFate.IMPORTED: "dim", RowFate.UNFIT: "bold red"}


def format_plan(plan: ImportPlan) -> RenderableType:
    """Return the columns, one line for each row, what has no place, and what to do next."""
    mapping = build_fact_table((target, to_text(", ".join(names))) for target, names in plan.columns.items())
    lines: list[RenderableType] = [to_text(f"Columns of ml_models and of {plan.source}:", "bold"), mapping]
    for name, number in plan.columns_without_place.items():
        lines.append(to_text(f"{name} has no place in ml_models; {number} of {len(plan.rows)} rows have a value."))
    lines.append(_build_table(plan))
    lines += [to_text(line) for row in plan.rows if row.was_active for line in [_describe_active(row, plan.source)]]
    lines += [to_text(line, "bold") for line in _summarize(plan)]
    return Group(*lines)


def _build_table(plan: ImportPlan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("row", "", "id", "name", "file", "remarks"):
        table.add_column(heading, overflow="fold")
    for row in plan.rows:
        table.add_row(
            to_text(row.source_key),
            to_text("copied" if plan.applied and row.fate is RowFate.COPY else row.fate, _STYLES[row.fate]),
            to_text(row.model_id),
            to_text(row.model_name),
            to_text(row.file_path),
            to_text(" ".join((*row.reasons, *row.notes))),
        )
    return table


def _describe_active(row: PlannedRow, source: str) -> str:
    active = f"Row {row.source_key} ({row.source_name}) is active in {source}. Models are imported inactive"
    if row.fate is RowFate.UNFIT:
        return f"{active}, and this row does not fit."
    return f"{active}; to make it live: understudy activate {row.model_id or 'MODEL_ID'}"


def _summarize(plan: ImportPlan) -> list[str]:
    copied, imported, unfit = (len(plan.list_rows(fate)) for fate in RowFate)
    counts = f"{copied} to copy, {imported} imported before, {unfit} do not fit."
    if plan.applied:
        return [counts.replace("to copy", "copied")]
    if unfit:
        return [counts, "Nothing was written. Correct the rows that do not fit, or add --apply --skip-unfit."]
    return [counts, "Nothing was written. To write, add --apply."]
