"""Counts the outcomes of a family of attempts, and writes the table that shows them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_MOST_SENTENCES = 20


@dataclass
class FamilyReport:
    """Counts the attempts of one family. `counted` names what an attempt is, in the plural."""

    family: str
    counted: str
    attempts: int = 0
    violated: int = 0
    longest_seconds: float = 0.0
    largest_bytes: int = 0
    violations: list[str] = field(default_factory=list)
    """Sentences, at most twenty; `violated` counts all."""
    notes: list[str] = field(default_factory=list)
    skipped: str | None = None
    """Why the family did not run."""

    @property
    def held(self) -> int:
        return self.attempts - self.violated

    def check(self, held: bool, sentence: str) -> bool:
        """Count one attempt and return `held`; `sentence` says what was violated where it did not hold."""
        self.attempts += 1
        if not held:
            self.violated += 1
            if len(self.violations) < _MOST_SENTENCES:
                self.violations.append(sentence)
        return held

    def measure(self, *, seconds: float = 0.0, size: int = 0) -> None:
        """Keep the longest time and the largest number of bytes."""
        self.longest_seconds = max(self.longest_seconds, seconds)
        self.largest_bytes = max(self.largest_bytes, size)


def format_table(reports: Iterable[FamilyReport]) -> str:
    """Return the reports as a Markdown table, with the violations and notes below it."""
    lines = [
        "| family | attempts | held | violated | longest (s) | largest (MB) |",
        "|---|---|---|---|---|---|",
    ]
    below: list[str] = []
    for report in reports:
        if report.skipped is not None:
            lines.append(f"| {report.family} | skipped | | | | |")
            below.append(f"- {report.family}: skipped. {report.skipped}")
            continue
        lines.append(
            f"| {report.family} | {report.attempts} {report.counted} | {report.held} | {report.violated} "
            f"| {report.longest_seconds:.2f} | {report.largest_bytes / 1e6:.1f} |"
        )
        below += [f"- {report.family}: **violated**: {sentence}" for sentence in report.violations]
        if report.violated > len(report.violations):
            below.append(f"- {report.family}: {report.violated - len(report.violations)} more violations.")
        below += [f"- {report.family}: {note}" for note in report.notes]
    return "\n".join([*lines, "", *below]).rstrip() + "\n"
