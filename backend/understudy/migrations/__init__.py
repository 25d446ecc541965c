"""The way to the present schema from an empty database or from a hand-made `ml_models`."""

from understudy.migrations.adoption.table_finding import AdoptionOutcome, TableFinding
from understudy.migrations.runner import AdoptionReport, examine, repair, upgrade

__all__ = ["AdoptionOutcome", "AdoptionReport", "TableFinding", "examine", "repair", "upgrade"]
