"""Shows what an uninstallation removes."""

from rich.console import Group, RenderableType

from understudy.cli.views.cells import build_fact_table, to_text
from understudy.migrations.removal import Removal


def format_removal(plan: Removal, *, removed: bool) -> RenderableType:
    """Return what goes and what stays; with `removed`, what went."""
    if plan.is_empty:
        return to_text("Nothing of Understudy is in this database.")
    facts = [
        (name, to_text(", ".join(values)))
        for name, values in (("tables", plan.tables), ("triggers", plan.triggers), ("functions", plan.functions))
        if values
    ]
    lines: list[RenderableType] = [
        to_text("Removed:" if removed else "To be removed:", "bold"),
        build_fact_table(facts),
    ]
    if "ml_models" in plan.tables:
        lines.append(to_text(f"With ml_models go {plan.lost_models} models.", "bold red"))
    if plan.kept_models is not None:
        stays = f"ml_models stays with its {plan.kept_models} rows, columns, indexes and constraints."
        lines.append(to_text(f"{stays} `understudy migrate` adopts it again."))
    lines.append(to_text("The files in models/ and var/ stay.", "dim"))
    return Group(*lines)
