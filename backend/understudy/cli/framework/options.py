"""The arguments and options that several commands share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from understudy.schemas.registry.model import LARGEST_ID
from understudy.schemas.server.rollout import DEFAULT_SECONDS, LONGEST_SECONDS, RolloutOptions

AllowUnauthenticated = Annotated[
    bool,
    typer.Option(
        "--allow-unauthenticated",
        help="Allow an address that others can reach without accounts: a proxy in front checks who calls.",
    ),
]
ModelId = Annotated[
    int, typer.Argument(metavar="MODEL_ID", min=1, max=LARGEST_ID, help="model_id of a registered model.")
]
SomeModelId = Annotated[
    int | None,
    typer.Argument(metavar="[MODEL_ID]", min=1, max=LARGEST_ID, show_default=False, help="model_id of a model."),
]
ModelPath = Annotated[str, typer.Option("--path", help="Model file, relative to the backend folder, with / or \\.")]
Version = Annotated[str | None, typer.Option("--version", show_default=False, help="Version, such as v1.0.")]
Description = Annotated[str | None, typer.Option("--description", show_default=False, help="Free text.")]
ModelType = Annotated[
    str | None, typer.Option("--type", show_default=False, help="Free word for the kind of model, such as yamnet.")
]
Accuracy = Annotated[float | None, typer.Option("--accuracy", show_default=False, help="Measured accuracy, 0 to 1.")]
TensorsOnly = Annotated[
    bool, typer.Option("--tensors-only", help="Permit a model that takes tensors and cannot score recordings.")
]
Reason = Annotated[str | None, typer.Option("--reason", show_default=False, help="Why; it stands in the history.")]
OverrideFreeze = Annotated[
    bool, typer.Option("--override-freeze", help="Activate in a freeze too, for --reason; an admin's emergency.")
]
WaitAll = Annotated[bool, typer.Option("--wait-all", help="Wait until every running server serves the model.")]
RolloutTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", min=0.1, max=LONGEST_SECONDS, show_default=False, help="Seconds to wait for the servers (30)."
    ),
]
FailFleet = Annotated[
    float | None,
    typer.Option(
        "--fail-fleet",
        min=0.0,
        max=0.999,
        show_default=False,
        help="Return to the model before where more than this share of the servers cannot load the model, such as 0.5.",
    ),
]
Cursor = Annotated[str | None, typer.Option("--cursor", show_default=False, help="The next_cursor of the page before.")]
Clips = Annotated[
    list[Path], typer.Argument(metavar="CLIP...", exists=True, dir_okay=False, readable=True, help="Recordings.")
]
ExamplesFile = Annotated[
    Path | None,
    typer.Option(
        "--examples",
        exists=True,
        dir_okay=False,
        show_default=False,
        help="examples.csv: clips beside it, and the author's own answers. The model must agree to go live.",
    ),
]


def check_examples(file: Path | None) -> None:
    """Raises ExamplesInvalid for an examples.csv that cannot be used or whose clips are not there."""
    if file is not None:
        from understudy.registry.files.examples_csv import read_folder

        read_folder(file)


def build_rollout(wait_all: bool, seconds: float | None, fail_fleet: float | None) -> RolloutOptions | None:
    """Return how to wait for the servers, or None. Raises BadParameter for its options without --wait-all."""
    if wait_all:
        return RolloutOptions(timeout_seconds=seconds or DEFAULT_SECONDS, fail_fleet=fail_fleet)
    if seconds is not None or fail_fleet is not None:
        raise typer.BadParameter("--timeout and --fail-fleet need --wait-all.")
    return None


def collect_columns(
    name: str | None,
    path: str | None,
    version: str | None,
    description: str | None,
    model_type: str | None,
    accuracy: float | None,
) -> dict[str, object]:
    """Return the columns of ml_models that have a value."""
    values = {
        "model_name": name,
        "file_path": path,
        "version": version,
        "description": description,
        "model_type": model_type,
        "accuracy": accuracy,
    }
    return {column: value for column, value in values.items() if value is not None}


def parse_time(text: str) -> datetime:
    """Return a time in ISO 8601; without a zone it is local, as the times that the command prints."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no time. Write 2026-11-28T14:03, or that with +01:00.") from None
