"""Mutated recordings: none may crash or block the decoders, let memory grow, or give numbers that are not finite."""

import shutil

from scripts.recordings.fuzz import fuzz
from scripts.torture.plan import Plan
from scripts.torture.report import FamilyReport

_BATCH = 2_000


def run(plan: Plan) -> FamilyReport:
    """Each recording is an attempt."""
    report = FamilyReport("mutated recordings", "recordings")
    if shutil.which("ffmpeg") is None:
        report.skipped = "ffmpeg is not installed, which writes the recordings that are mutated."
        return report
    timer = plan.start_timer(60)
    count = plan.choose(100, 20_000)
    seed = plan.seed
    while report.attempts < count and not timer.is_over:
        done = fuzz(min(_BATCH, count - report.attempts), seed)
        report.attempts += done.count
        report.violated += len(done.faults)
        report.violations += [f"with the seed {seed}, {fault}" for fault in done.faults]
        report.measure(seconds=done.slowest_seconds, size=done.growth_bytes)
        seed += 1
    return report
