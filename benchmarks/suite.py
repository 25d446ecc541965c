"""One run of the chosen groups over the chosen subjects."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import environments, machine
from benchmarks.bench import Bench
from benchmarks.groups import GROUPS
from benchmarks.results import Result, Run
from benchmarks.site import build_site
from benchmarks.subjects import SUBJECTS


def run_suite(
    groups: Sequence[str], subjects: Sequence[str], *, quick: bool, seconds: float, repeats: int
) -> Iterator[Run]:
    """Install what is missing, prepare, measure; the run so far after each group. Raises LoadError without wrk."""
    began = time.monotonic()
    facts = machine.machine()
    run = Run(datetime.now(UTC).isoformat(timespec="minutes"), facts, {})
    able = []
    for name in subjects:
        reason = environments.install(SUBJECTS[name].environment)
        if reason:
            run.results += [Result(group, "all", name, problem=reason) for group in groups]
            continue
        able.append(name)
        run.versions[name] = environments.versions(SUBJECTS[name].python)
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        work = Path(folder)
        site = build_site(work / "site")
        facts["network"] = site.origin
        bench = Bench(work, site, seconds, repeats, quick, frozenset(able))
        for group in groups:
            for result in GROUPS[group].measure(bench):
                run.results.append(result)
                print(_line(result, time.monotonic() - began), flush=True)
            facts["took"] = f"{(time.monotonic() - began) / 60:.0f} min"
            yield run


def _line(result: Result, elapsed: float) -> str:
    name = f"{elapsed:6.0f} s  {result.group:9} {result.case:32} {result.subject:18} {result.connections or '':>3}"
    shown = [f"{key} {figure.median:.4g} {figure.unit}".rstrip() for key, figure in [*result.figures.items()][:3]]
    return "  ".join([name, ", ".join(shown), result.problem or ""]).rstrip()
