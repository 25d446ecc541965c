"""The page of one run: docs/benchmarks/README.md, with its plots beside it."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import plots
from benchmarks.groups import GROUPS, predict, start, tensor
from benchmarks.pressure import P50, P99, RATE, SERVER_CPU, WRK_CPU
from benchmarks.results import Figure, Result, Run
from benchmarks.subjects import UNDERSTUDY
from benchmarks.tables import cell, listing, markdown, name_of, number, problems, ratio

JSON_NAME = "results.json"
_PACKAGES = (
    *("onnxruntime", "numpy", "scipy", "av", "soundfile", "fastapi", "uvicorn", "uvloop"),
    *("litserve", "bentoml", "mlserver", "ray", "mlflow", "keras", "tensorflow-cpu", "librosa"),
)
_INTRODUCTION = """# Benchmarks

Written by `make bench`; [the suite](../../benchmarks/README.md) says what is measured, how, and why each peer is set as
it is. Every figure is a median with its least and most in brackets. Figures of different machines cannot be compared;
ratios within one run can. All of them are in [results.json](results.json).
"""


def write_report(run: Run, folder: Path, *, with_plots: bool = True) -> Path:
    """README.md, results.json and plots (which need matplotlib) under `folder`; returns the page."""
    run.save(folder / JSON_NAME)
    sections = [_INTRODUCTION, _facts(run)]
    for group in dict.fromkeys(result.group for result in run.results):
        results = run.of(group)
        sections.append(f"## {GROUPS[group].TITLE}\n\n{GROUPS[group].ABOUT}\n")
        sections += [_predictions(results) if group == predict.GROUP else listing(results) + "\n"]
        sections += _plot(group, results, folder) if with_plots else []
    if found := problems(run.results):
        sections.append("## What went wrong\n\n" + "\n".join(found) + "\n")
    sections.append(_versions(run))
    page = folder / "README.md"
    page.write_text("\n".join(sections), encoding="utf-8")
    return page


def _facts(run: Run) -> str:
    facts = {"measured": run.started_at} | run.machine
    return markdown(("machine", "value"), [(name, value) for name, value in facts.items()]) + "\n"


def _versions(run: Run) -> str:
    rows = []
    for environment, packages in run.versions.items():
        listed = ", ".join(f"{name} {packages[name]}" for name in _PACKAGES if name in packages)
        rows.append((environment, listed))
    return "## Versions\n\n" + markdown(("environment", "packages"), rows) + "\n"


def _plot(group: str, results: Sequence[Result], folder: Path) -> list[str]:
    """The line that shows a group's plot, where there is one."""
    path = folder / f"{group}.svg"
    drawn = False
    if group == predict.GROUP:
        panels = plots.shares(results, _ceilings(results))
        drawn = plots.draw(panels, path, label="% of the in-process ceiling", limit=100)
    elif group == tensor.GROUP:
        drawn = plots.draw(plots.rates(results), path, label="answers a second")
    elif group == start.GROUP:
        drawn = plots.draw(plots.named(results, start.READY, start.LOADED), path)
    return [f"![{GROUPS[group].TITLE}]({path.name})\n"] if drawn else []


def _ceilings(results: Sequence[Result]) -> dict[str, Figure]:
    return {result.case: result.figures[RATE] for result in results if result.subject == predict.CEILING}


def _predictions(results: Sequence[Result]) -> str:
    ceilings = _ceilings(results)
    ours = {
        (result.case, result.connections): result.figures[RATE]
        for result in results
        if result.subject == UNDERSTUDY and RATE in result.figures
    }
    sections = (
        "### Understudy and the ceiling",
        _ours(results, ceilings),
        "### Beside the peers",
        _peers(results, ceilings, ours),
    )
    return "\n\n".join(sections) + "\n"


def _ours(results: Sequence[Result], ceilings: dict[str, Figure]) -> str:
    rows = []
    for result in results:
        if result.subject != UNDERSTUDY or not result.figures:
            continue
        figures, ceiling = result.figures, ceilings.get(result.case)
        share = f"{100 * ratio(figures[RATE], ceiling):.0f} %"
        measured = [cell(figures[name]) for name in (P50, P99, SERVER_CPU, WRK_CPU)]
        rows.append([result.case, str(result.connections), cell(ceiling), cell(figures[RATE]), share, *measured])
    head = ("clip", "connections", "ceiling, clips/s", "Understudy, clips/s", "of the ceiling")
    return markdown((*head, "p50, ms", "p99, ms", "server CPU, cores", "wrk CPU, cores"), rows)


def _peers(results: Sequence[Result], ceilings: dict[str, Figure], ours: dict[tuple[str, int | None], Figure]) -> str:
    compared = {(r.case, r.connections) for r in results if r.subject not in (predict.CEILING, UNDERSTUDY)}
    rows = []
    for result in sorted(results, key=lambda r: (_position(r, results), r.connections or 0)):
        if (result.case, result.connections) not in compared or not result.figures:
            continue
        rate = result.figures[RATE]
        mine = ours.get((result.case, result.connections))
        rows.append(
            [
                result.case,
                str(result.connections),
                name_of(result.subject),
                cell(rate),
                f"{100 * ratio(rate, ceilings.get(result.case)):.0f} %",
                "" if result.subject.startswith(UNDERSTUDY) else f"{number(ratio(mine, rate))} x",
                cell(result.figures[P99]),
                cell(result.figures[SERVER_CPU]),
            ]
        )
    head = ("clip", "connections", "who", "clips/s", "of the ceiling", "Understudy is", "p99, ms", "server CPU, cores")
    return markdown(head, rows)


def _position(result: Result, results: Sequence[Result]) -> int:
    return [each.case for each in results].index(result.case)
