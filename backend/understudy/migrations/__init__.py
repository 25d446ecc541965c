"""Brings an empty database, or one with a hand-made `ml_models`, to the present schema."""

from understudy.migrations.adoption.repairs.active_rows import build_several_active
from understudy.migrations.adoption.table_finding import ADD_ONLY, AdoptionOutcome, Repair, TableFinding
from understudy.migrations.runner import AdoptionReport, examine, repair_tables, require_newest, upgrade

__all__ = [
    "ADD_ONLY",
    "AdoptionOutcome",
    "AdoptionReport",
    "Repair",
    "TableFinding",
    "build_several_active",
    "examine",
    "repair_tables",
    "require_newest",
    "upgrade",
]
