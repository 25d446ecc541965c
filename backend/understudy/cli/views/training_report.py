"""Shows the result of a training."""

from rich import box
from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import build_fact_table, to_text
from understudy.training.train import TrainingReport

_BAR_WIDTH = 20


def format_summary(report: TrainingReport) -> RenderableType:
    """Return the written files, the accuracy over all folds and of each fold."""
    folds = ", ".join(f"{fold}: {accuracy:.1%}" for fold, accuracy in report.evaluation.fold_accuracy.items())
    return build_fact_table(
        [
            ("model", to_text(report.model_path, "bold")),
            ("spec", to_text(report.spec_path)),
            ("examples", to_text(_describe_examples(report))),
            ("pooling", report.pooling.value),
            ("accuracy", Text(f"{report.evaluation.accuracy:.2%}", "bold green")),
            ("by fold", folds),
            ("material", f"{report.recordings} recordings, {report.windows} windows"),
            ("took", f"{report.seconds:.1f} s"),
        ]
    )


def _describe_examples(report: TrainingReport) -> str:
    if report.examples_path is None:
        return "none: the features of the model are not proved"
    return f"{report.examples} clips, {report.held_out} of them not trained on: {report.examples_path}"


def format_confusion_matrix(report: TrainingReport) -> RenderableType:
    """Return counts of recordings by true label (row) and predicted label (column), with the recall of each label."""
    evaluation = report.evaluation
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("true label")
    table.add_column("recall", justify="right")
    table.add_column(width=_BAR_WIDTH)
    for number in range(1, len(evaluation.labels) + 1):
        table.add_column(str(number), justify="right")
    for number, (label, row) in enumerate(zip(evaluation.labels, evaluation.confusion, strict=True)):
        recall = evaluation.recall[label]
        cells = [
            Text(str(count) if count else "·", "bold green" if column == number else "red" if count else "dim")
            for column, count in enumerate(row)
        ]
        bar = ProgressBar(total=1.0, completed=recall, width=_BAR_WIDTH)
        table.add_row(to_text(f"{number + 1} {label}"), f"{recall:.1%}", bar, *cells)
    return table
