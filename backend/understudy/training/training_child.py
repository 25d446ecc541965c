"""The training in a child process: `python -m understudy.training.training_child`, its order as JSON on stdin.

Each line on standard output is one message: progress, or at the end a report or a problem document.
"""

import sys
from pathlib import Path

from pydantic import BaseModel

from understudy.errors import UnderstudyError
from understudy.settings import Settings
from understudy.training.train import TrainingReport, train_head


class TrainingRequest(BaseModel):
    """What to train on. `folds` None reads a recording's fold from its file name."""

    home: Path
    data: Path
    out: Path
    folds: Path | None
    seed: int
    epochs: int
    overwrite: bool


class Message(BaseModel):
    """Progress of a `step`, the final `report`, or the `problem` that ended the training."""

    step: str | None = None
    done: int = 0
    total: int | None = None
    report: TrainingReport | None = None
    problem: dict[str, object] | None = None


def send(message: Message) -> None:
    sys.stdout.write(message.model_dump_json() + "\n")
    sys.stdout.flush()


def train(request: TrainingRequest) -> None:
    try:
        report = train_head(
            Settings(home=request.home),
            request.data,
            request.out,
            folds=request.folds or "prefix",
            seed=request.seed,
            epochs=request.epochs,
            overwrite=request.overwrite,
            on_progress=lambda step, done, total: send(Message(step=step, done=done, total=total)),
        )
    except UnderstudyError as error:
        send(Message(problem=error.problem()))
    else:
        send(Message(report=report))


if __name__ == "__main__":
    train(TrainingRequest.model_validate_json(sys.stdin.read()))
