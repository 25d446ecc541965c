"""A reason for which a table cannot be used, and the SQL that removes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.errors import TableRefused


@dataclass(frozen=True)
class Fault:
    """`detail` is a clause without a full stop; `sql` holds whole statements."""

    detail: str
    sql: str


def refuse_faults(faults: Sequence[Fault]) -> None:
    """Raises TableRefused with every fault and all the SQL, when there are any."""
    if not faults:
        return
    raise TableRefused(
        f"The table ml_models of this database cannot be used as it is: {'; '.join(each.detail for each in faults)}."
        " Nothing was changed.",
        remedy="Run this SQL as the owner of the table, then try again: " + " ".join(each.sql for each in faults),
    )
