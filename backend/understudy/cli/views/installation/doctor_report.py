"""Shows the findings of the doctor."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from understudy.cli.views.cells import to_text
from understudy.doctor.doctor import DoctorReport
from understudy.doctor.finding import FindingState

_STYLES = {FindingState.OPEN: "bold red", FindingState.FIXED: "bold green", FindingState.NOTED: "bold yellow"}


def format_findings(report: DoctorReport) -> RenderableType:
    """Return each finding: the place, the fault, and the remedy while it is open."""
    if not report.findings:
        return Text(f"Nothing is wrong; {len(report.looked_at)} places were checked.", "green")
    lines: list[RenderableType] = []
    for finding in report.findings:
        mark = Text(f"{finding.state:<7}", _STYLES[finding.state])
        lines.append(mark.append_text(to_text(f"{finding.where}: ", "bold")).append_text(to_text(finding.what)))
        if finding.state is FindingState.OPEN:
            lines.append(Padding.indent(to_text(finding.remedy), 7))
    fixed = sum(finding.state is FindingState.FIXED for finding in report.findings)
    lines.append(to_text(f"{len(report.findings)} found, {fixed} fixed, {len(report.left)} left open.", "dim"))
    return Group(*lines)
