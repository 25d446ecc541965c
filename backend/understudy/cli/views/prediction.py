"""Shows the prediction of a recording with one bar for each label."""

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table

from understudy.cli.views.cells import to_text
from understudy.schemas.inference.prediction import AudioFacts, Prediction

_BAR_WIDTH = 30


def _describe_audio(audio: AudioFacts) -> str:
    level = "digital silence" if audio.level_dbfs is None else f"{audio.level_dbfs:.1f} dBFS"
    channels = "mono" if audio.channels == 1 else f"{audio.channels} channels"
    marks = [word for word, true in (("silent", audio.silent), ("clipped", audio.clipped)) if true]
    parts = [f"{audio.duration_seconds:.2f} s", audio.codec, f"{audio.sample_rate} Hz", channels, level, *marks]
    return ", ".join(parts)


def _build_score_bars(answer: Prediction, top: int) -> RenderableType:
    """Return the `top` labels with the highest scores, each with a bar."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(width=_BAR_WIDTH)
    grid.add_column(justify="right")
    ranked = sorted(answer.scores.items(), key=lambda each: each[1], reverse=True)
    for label, score in ranked[:top]:
        bar = ProgressBar(total=1.0, completed=min(max(score, 0.0), 1.0), width=_BAR_WIDTH)
        grid.add_row(to_text(label, "bold" if label == answer.label else ""), bar, f"{score:.3f}")
    return grid


def _build_window_table(answer: Prediction) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("from", "to", "label", "score"):
        table.add_column(heading, justify="left" if heading == "label" else "right")
    for window in answer.windows:
        label = to_text("not scored", "yellow") if window.label is None else to_text(window.label)
        score = "" if window.score is None else f"{window.score:.3f}"
        table.add_row(f"{window.start:.2f} s", f"{window.end:.2f} s", label, score)
    return table


def format_prediction(name: str, answer: Prediction, *, top: int, windows: bool) -> RenderableType:
    """Return one clip: label, score bars, events, warnings, the model and the time of each phase."""
    verdict = to_text(name, "dim").append(f"  {answer.label}", "bold green").append(f"  {answer.score:.3f}")
    omitted = len(answer.scores) - top
    timing, model = answer.timing_ms, answer.model
    lines: list[RenderableType] = [to_text(_describe_audio(answer.audio), "dim"), _build_score_bars(answer, top)]
    if omitted > 0:
        lines.append(to_text(f"and {omitted} more labels (--top)", "dim"))
    lines += [
        to_text(f"{event.start:.2f} to {event.end:.2f} s: {event.label}, peak score {event.peak:.3f}")
        for event in answer.events
    ]
    lines += [to_text(f"note: {warning}", "yellow") for warning in answer.warnings]
    if windows:
        lines.append(_build_window_table(answer))
    name_and_version = f"{model.model_name} {model.version or ''}".strip()
    phases = f"decode {timing.decode:.1f}, features {timing.features:.1f}, inference {timing.inference:.1f} ms"
    lines.append(to_text(f"by {name_and_version} (model {model.model_id}); {phases}", "dim"))
    return Group(verdict, Padding.indent(Group(*lines), 2))
