"""Brings an empty database, or one with a hand-made `ml_models`, to the present schema."""

from understudy.migrations.adoption.table_finding import AdoptionOutcome, TableFinding
from understudy.migrations.runner import AdoptionReport, examine, repair, upgrade

__all__ = ["AdoptionOutcome", "AdoptionReport", "TableFinding", "examine", "repair", "upgrade"]
