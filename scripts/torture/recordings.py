"""Mutated recordings: none may crash or block the decoders, let memory grow, or give numbers that are not finite."""

import shutil

from scripts.recordings.fuzz import fuzz
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport


def run(plan: Plan) -> FamilyReport:
    """Each recording is an attempt."""
    report = FamilyReport("mutated recordings", "recordings")
    if shutil.which("ffmpeg") is None:
        report.skipped = "ffmpeg is not installed, which writes the recordings that are mutated."
        return report
    done = fuzz(plan.choose(100, min(20_000, max(1, round(2_000 * plan.minutes)))), plan.seed)
    report.attempts, report.violated = done.count, len(done.faults)
    report.violations += done.faults
    report.measure(seconds=done.slowest_seconds, size=done.growth_bytes)
    return report
