"""Shows the outcome of a search for a spec."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table

from understudy.cli.views.cells import to_text

if TYPE_CHECKING:
    from understudy.serving.spec_finding import FoundSpec


_NOT_FOUND = (
    "No spec gives the answers of all examples, so none was written. Compare the nearest one with the author's script "
    "(docs/spec-find.md), correct it by hand, and check it: "
    "understudy register … --spec FILE --examples CSV"
)


def format_search(found: "FoundSpec", written: Path | None) -> tuple[dict[str, Any], RenderableType]:
    """Return the JSON document and the table of the best specs; `written` is the sidecar, None if none was written."""
    result = found.result
    document = {
        "agrees": found.agrees,
        "tried": result.tried,
        "seconds": round(result.seconds, 2),
        "out_of_time": result.out_of_time,
        "written": None if written is None else str(written),
        "hints": list(found.hints),
        "findings": [
            {"file": clip.file, **finding.model_dump(mode="json")}
            for clip in (result.best[0].proofs if result.best else ())
            for finding in clip.findings
        ],
        "spec": None if found.spec is None else found.spec.to_document(),
        "best": [
            {
                "steps": list(trial.steps),
                "agreed": trial.agreed,
                "of": len(trial.proofs),
                "difference": round(trial.difference, 6),
            }
            for trial in result.best
        ],
    }
    table = Table("examples", "mean difference", "start", "changes", box=None, pad_edge=False)
    for trial in result.best:
        start, *changes = trial.steps
        agreed = f"{trial.agreed} of {len(trial.proofs)}"
        table.add_row(agreed, f"{trial.difference:.4g}", to_text(start), to_text("; ".join(changes) or "none"))
    lines: list[RenderableType] = [to_text(f"{result.tried} specs tried in {result.seconds:.0f} s.")]
    if result.out_of_time:
        lines.append(to_text("The time ended before the search; --seconds gives it more.", "yellow"))
    if not result.best:
        lines.append(to_text("Nothing that a spec can name makes what the model takes.", "yellow"))
    else:
        lines.append(table)
        lines += [to_text(clip.describe()) for clip in result.best[0].proofs if not clip.agrees]
        lines += [to_text(note, "yellow") for clip in result.best[0].proofs for note in clip.describe_findings()]
    if not found.agrees:
        lines += [to_text(hint, "yellow") for hint in found.hints]
        lines.append(to_text(_NOT_FOUND, "bold yellow"))
    if written is not None:
        lines.append(to_text(f"Written: {written}", "bold green"))
    elif found.agrees:
        lines.append(to_text("The spec file exists and was not changed; --replace overwrites it.", "yellow"))
    return document, Group(*lines)
