"""Run a training in a child process: `python -m understudy.training.training_child`.

The process reads a TrainingRequest as JSON from standard input. It writes one Message on each line of standard output:
progress, and at the end a report or a problem document.
"""

import sys
from pathlib import Path

from pydantic import BaseModel

from understudy.errors import UnderstudyError
from understudy.schemas.front_end.head_pooling import HeadPooling
from understudy.settings import Settings
from understudy.training.train import TrainingReport, train_head


class TrainingRequest(BaseModel):
    """The arguments of `train_head`. A `folds` of None means that file names begin with the fold."""

    home: Path
    data: Path
    out: Path
    folds: Path | None
    pooling: HeadPooling
    seed: int
    epochs: int | None
    overwrite: bool
    examples: bool


class Message(BaseModel):
    """Either progress of a `step`, or the final `report`, or the `problem` that ended the training."""

    step: str | None = None
    done: int = 0
    total: int | None = None
    report: TrainingReport | None = None
    problem: dict[str, object] | None = None


def send(message: Message) -> None:
    """Write one message to standard output."""
    sys.stdout.write(message.model_dump_json() + "\n")
    sys.stdout.flush()


def train(request: TrainingRequest) -> None:
    """Run the training and send its progress and its result."""
    try:
        report = train_head(
            Settings(home=request.home),
            request.data,
            request.out,
            folds=request.folds or "prefix",
            pooling=request.pooling,
            seed=request.seed,
            epochs=request.epochs,
            overwrite=request.overwrite,
            examples=request.examples,
            on_progress=lambda step, done, total: send(Message(step=step, done=done, total=total)),
        )
    except UnderstudyError as error:
        send(Message(problem=error.problem()))
    else:
        send(Message(report=report))


if __name__ == "__main__":
    train(TrainingRequest.model_validate_json(sys.stdin.read()))
