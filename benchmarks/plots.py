"""Plots of a run, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.pressure import RATE
from benchmarks.results import Figure, Result
from benchmarks.subjects import UNDERSTUDY
from benchmarks.tables import name_of

Bars = Mapping[str, Figure]
"""A bar a subject."""

_OURS, _THEIRS, _SPREAD, _LIMIT = "#0f766e", "#94a3b8", "#334155", "#b91c1c"
_BAR, _MARGIN = 0.32, 0.9


def shares(results: Sequence[Result], ceilings: Mapping[str, Figure]) -> dict[str, Bars]:
    """Everyone's share of the ceiling in per cent, best first, a panel a clip that peers were sent.

    Of several numbers of connections the largest is drawn.
    """
    panels: dict[str, Bars] = {}
    for case, ceiling in ceilings.items():
        found = _busiest([result for result in results if result.case == case and result.connections])
        whole = ceiling.median / 100
        bars = {name: Figure("%", tuple(value / whole for value in rate.values)) for name, rate in found.items()}
        if any(not name.startswith(UNDERSTUDY) for name in bars):
            panels[case] = dict(sorted(bars.items(), key=lambda bar: -bar[1].median))
    return panels


def rates(results: Sequence[Result]) -> dict[str, Bars]:
    """Everyone's rate at the largest number of connections, a panel a case."""
    cases = dict.fromkeys(result.case for result in results)
    return {case: _busiest([result for result in results if result.case == case]) for case in cases}


def named(results: Sequence[Result], *figures: str) -> dict[str, Bars]:
    """A panel for each of the figures, titled with its unit."""
    panels: dict[str, Bars] = {}
    for name in figures:
        bars = {result.subject: result.figures[name] for result in results if name in result.figures}
        panels |= {f"{name}, {next(iter(bars.values())).unit}": bars} if bars else {}
    return panels


def draw(panels: Mapping[str, Bars], path: Path, *, label: str = "", limit: float | None = None) -> bool:
    """Horizontal bars with their spread, a panel under the other; `limit` is a line. False when there is nothing."""
    panels = {title: bars for title, bars in panels.items() if bars}
    if not panels:
        return False
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "understudy"  # the same figures give the same file
    counts = [len(bars) for bars in panels.values()]
    height = _BAR * sum(counts) + _MARGIN * len(panels)
    figure, axes = plt.subplots(len(panels), 1, figsize=(8, height), squeeze=False, height_ratios=counts)
    for axis, (title, bars) in zip(axes[:, 0], panels.items(), strict=True):
        middles = [bar.median for bar in bars.values()]
        spread = [[bar.median - bar.low for bar in bars.values()], [bar.high - bar.median for bar in bars.values()]]
        colours = [_OURS if name.startswith(UNDERSTUDY) else _THEIRS for name in bars]
        names = [name_of(name) for name in bars]
        axis.barh(names, middles, xerr=spread, color=colours, ecolor=_SPREAD, height=0.7)
        if limit is not None:
            axis.axvline(limit, color=_LIMIT, linewidth=1)
        axis.invert_yaxis()
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel(label)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _busiest(results: Sequence[Result]) -> dict[str, Figure]:
    """The rate of each subject at the most connections that any of them had."""
    most = max((result.connections or 0 for result in results), default=0)
    return {
        result.subject: result.figures[RATE]
        for result in results
        if RATE in result.figures and (result.connections or 0) == most
    }
