"""Checks names and versions that were typed into the table and that a registration would refuse."""

from collections.abc import Iterator, Sequence

from understudy.doctor.finding import Finding, FindingState
from understudy.models.naming import find_fault
from understudy.registry.models.table.rows import Row


def check(rows: Sequence[Row]) -> Iterator[Finding]:
    """Find the models that clients of /v2 cannot ask for by their name or version; by their id they are served."""
    for row in rows:
        model = row.model
        for what, text in (("name", model.model_name), ("version", model.version)):
            # A row without a version may have an empty text in place of NULL.
            if text is None or (text == "" and what == "version") or (fault := find_fault(text)) is None:
                continue
            yield Finding(
                f"{what}_not_addressable",
                f"model {model.model_id}",
                f"The {what} {text!r} {fault.rule}. Clients of /v2 cannot rely on it; the id works everywhere.",
                f"understudy update {model.model_id} --{what} {what.upper()}",
                FindingState.NOTED,
            )
