"""Measures what a server and its descendants hold: memory, descriptors, processes."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.torture.report import FamilyReport
from scripts.torture.server import Server

MOST_GROWTH = 48 << 20
"""Bytes by which the server's own process, or all its processes together, may grow."""
MOST_DESCRIPTORS = 8
"""Descriptors by which the server's own process may grow."""


@dataclass(frozen=True)
class Footprint:
    front_bytes: int
    all_bytes: int
    descriptors: int
    processes: int

    def describe(self) -> str:
        """Return the figures as text."""
        return (
            f"server {self.front_bytes / 1e6:.0f} MB, all processes {self.all_bytes / 1e6:.0f} MB (PSS), "
            f"{self.descriptors} descriptors, {self.processes} processes"
        )


def measure_footprint(server: Server) -> Footprint:
    """Return what the server's processes hold now."""
    processes = server.list_processes()
    sizes = {process.pid: _measure_pss(process.pid) for process in processes}
    descriptors = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
    return Footprint(sizes.get(server.pid, 0), sum(sizes.values()), descriptors, len(processes))


def _measure_pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def compare_footprints(report: FamilyReport, before: Footprint, after: Footprint) -> None:
    """Check that nothing has grown beyond its limit."""
    report.measure(size=after.all_bytes)
    report.notes.append(f"Before: {before.describe()}. After: {after.describe()}.")
    for what, grown in (
        ("the server's process", after.front_bytes - before.front_bytes),
        ("all processes together", after.all_bytes - before.all_bytes),
    ):
        report.check(grown <= MOST_GROWTH, f"{what} grew by {grown / 1e6:.0f} MB")
    grown = after.descriptors - before.descriptors
    report.check(grown <= MOST_DESCRIPTORS, f"the server holds {grown} descriptors more")
    report.check(
        after.processes <= before.processes, f"{after.processes} processes after {before.processes} at the beginning"
    )
