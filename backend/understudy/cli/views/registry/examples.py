"""Shows the examples of a model and how its answers compare with them."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import ABSENT, to_text
from understudy.schemas.registry.examples import (
    NOT_PROVED,
    ClipProof,
    ExamplesProof,
    ExamplesSummary,
    ModelExamples,
    ProofState,
)

_STYLES = {
    ProofState.NOT_PROVED: "yellow",
    ProofState.PENDING: "cyan",
    ProofState.PROVED: "green",
    ProofState.MISSED: "bold red",
}


def format_summary(summary: ExamplesSummary) -> Text:
    """Return the line that says whether the features are proved."""
    return to_text(summary.text, _STYLES[summary.state])


def format_proof_line(proof: ExamplesProof | None) -> Text:
    """Return one line about a run of the examples, or that there was none."""
    if proof is None:
        return to_text(f"{NOT_PROVED}: no examples were run", "yellow")
    return to_text(f"examples: {proof.summarize()}", "green" if proof.passed else "bold red")


def format_examples(found: ModelExamples) -> RenderableType:
    """Return the summary and a line for each clip."""
    lines: list[RenderableType] = [format_summary(found.summary)]
    if found.summary.state is ProofState.PENDING:
        lines.append(to_text(f"Run them: understudy compile {found.model_id}", "dim"))
    for proof in (found.proof, found.int8_proof):
        if proof is not None:
            lines += [to_text(f"{proof.precision} with {proof.program}", "dim"), _format_clips(proof)]
            lines += [to_text(note, "yellow") for clip in proof.clips for note in clip.describe_findings()]
    if found.proof is None and found.examples:
        table = _build_table("clip", "label", "scores")
        for each in found.examples:
            table.add_row(to_text(each.file), to_text(each.label), str(len(each.scores)))
        lines.append(table)
    return Group(*lines)


def _format_clips(proof: ExamplesProof) -> Table:
    table = _build_table("", "clip", "expected", "served", "at label", "expected", "served", "difference")
    for clip in proof.clips:
        if clip.problem is not None:
            table.add_row("✗", to_text(clip.file), to_text(clip.expected_label), to_text(clip.problem), style="red")
            continue
        table.add_row(
            "✓" if clip.agrees else "✗",
            to_text(clip.file),
            to_text(clip.expected_label),
            to_text(clip.served_label),
            to_text(clip.differs_at),
            *(_format_score(score) for score in (clip.expected_score, clip.served_score)),
            _format_difference(clip),
            style="" if clip.agrees else "red",
        )
    return table


def _build_table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _format_score(score: float | None) -> str:
    return ABSENT if score is None else f"{score:.4f}"


def _format_difference(clip: ClipProof) -> str:
    return ABSENT if clip.max_difference is None else f"{clip.max_difference:.2g} of {clip.tolerance:g}"
