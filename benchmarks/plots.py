"""Plots of a run, as SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.pressure import RATE
from benchmarks.results import Figure, Result
from benchmarks.subjects import UNDERSTUDY
from benchmarks.tables import name_of

_OURS, _THEIRS = "#0f766e", "#94a3b8"
_ROW = 0.32


def throughput(results: Sequence[Result], ceilings: Mapping[str, Figure], path: Path) -> bool:
    """Share of the ceiling of everyone, a panel a clip that several were sent; False when there is none.

    Of several numbers of connections the largest is drawn.
    """
    panels = {case: _shares(results, case, ceiling) for case, ceiling in ceilings.items()}
    panels = {case: shares for case, shares in panels.items() if len(shares) > 2}
    if not panels:
        return False
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "understudy"  # the same figures give the same file
    height = _ROW * sum(map(len, panels.values())) + 0.9 * len(panels)
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8, height), sharex=True, squeeze=False, height_ratios=[*map(len, panels.values())]
    )
    for axis, (case, shares) in zip(axes[:, 0], panels.items(), strict=True):
        names = [name_of(subject) for subject in shares]
        middles = [figures[1] for figures in shares.values()]
        spread = [[m - low for low, m, _ in shares.values()], [high - m for _, m, high in shares.values()]]
        colours = [_OURS if subject.startswith(UNDERSTUDY) else _THEIRS for subject in shares]
        axis.barh(names, middles, xerr=spread, color=colours, ecolor="#334155", height=0.7)
        axis.axvline(100, color="#b91c1c", linewidth=1)
        axis.invert_yaxis()
        axis.set_title(case, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("% of the in-process ceiling")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return True


def _shares(results: Sequence[Result], case: str, ceiling: Figure) -> dict[str, tuple[float, float, float]]:
    """Least, median and most of everyone's share of the ceiling in per cent, best first."""
    drawn = [result for result in results if result.case == case and result.connections and RATE in result.figures]
    most = max((result.connections or 0 for result in drawn), default=0)
    rates = {result.subject: result.figures[RATE] for result in drawn if result.connections == most}
    ordered = sorted(rates.items(), key=lambda item: -item[1].median)
    whole = ceiling.median / 100
    return {subject: (rate.low / whole, rate.median / whole, rate.high / whole) for subject, rate in ordered}
