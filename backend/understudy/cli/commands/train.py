"""The command that trains a head on YAMNet's embeddings from a folder of recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import validate_request
from understudy.cli.framework.output import Output
from understudy.cli.framework.session import Session
from understudy.cli.views.cells import to_text
from understudy.errors import PathRefused
from understudy.schemas.front_end.head_pooling import HeadPooling
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_detail import ModelDetail

if TYPE_CHECKING:
    from understudy.training.train import TrainingReport
    from understudy.training.training_child import TrainingRequest

group = typer.Typer()


@command(
    group, "train", example='understudy train --data recordings --out models/siren.keras --name "Siren" --activate'
)
async def train(
    session: Session,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="Folder with one subfolder of recordings for each label.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The .keras file to write; relative to the backend folder.")],
    folds: Annotated[
        Path | None,
        typer.Option(
            "--folds",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="CSV with the columns file and fold; without it, the fold is the prefix of the file name.",
        ),
    ] = None,
    pooling: Annotated[
        HeadPooling,
        typer.Option(
            "--pooling",
            help="What the head takes: none (each window; scores are averaged), or the mean, or mean and standard "
            "deviation, of all embeddings of the clip.",
        ),
    ] = HeadPooling.NONE,
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs", min=1, show_default=False, help="Passes over the recordings: 25, or 100 with a --pooling."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal weights.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model file if it exists.")] = False,
    no_examples: Annotated[
        bool,
        typer.Option(
            "--no-examples", help="Copy no recordings beside the model; its features are then not proved by examples."
        ),
    ] = False,
    name: Annotated[
        str | None, typer.Option("--name", show_default=False, help="Register the model under this name.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", show_default=False, help="Version to register it with.")
    ] = None,
    activate: Annotated[bool, typer.Option("--activate", help="Activate it as well; needs --name.")] = False,
) -> None:
    """Train a head on YAMNet embeddings and measure it by cross-validation over folds.

    Embeddings are computed once and kept. The spec and examples are written beside the model file; a registration finds
    both, and the model goes live only if it answers as the training did.
    """
    if activate and name is None:
        raise typer.BadParameter("--activate needs --name: only a registered model can be active.")
    settings = session.load_quiet_settings()
    target = out if out.is_absolute() else settings.home / out
    registration = None if name is None else _plan_registration(name, version, _to_home_path(settings.home, target))
    from understudy.training.training_child import TrainingRequest

    request = TrainingRequest(
        home=settings.home,
        data=data,
        out=target,
        folds=folds,
        pooling=pooling,
        seed=seed,
        epochs=epochs,
        overwrite=overwrite,
        examples=not no_examples,
    )
    report = await _run(request, session.output)
    model = None
    if registration is not None:
        model = await _register(session, report, registration, activate=activate)
    _print_report(session.output, report, model)


async def _run(request: "TrainingRequest", output: Output) -> "TrainingReport":
    from understudy.training.training_process import run_training

    with output.show_progress() as progress:
        bars = {"": progress.add_task("starting", total=None)}

        def show(step: str, done: int, total: int | None) -> None:
            if step not in bars:
                progress.update(bars[next(reversed(bars))], visible=False)
                bars[step] = progress.add_task(step, total=total)
            progress.update(bars[step], completed=done, total=total)

        return await run_training(request, show)


def _print_report(output: Output, report: "TrainingReport", model: ModelDetail | None) -> None:
    from understudy.cli.views import training_report

    document = report.model_dump(mode="json") | {"model": model.model_dump(mode="json") if model else None}
    views = [training_report.format_summary(report), training_report.format_confusion_matrix(report)]
    if model is not None:
        views.append(to_text(_describe_registration(model), "bold green"))
    output.print_answer(document, *views)


def _to_home_path(home: Path, target: Path) -> str:
    """Return the path to register, relative to `home`. Raises PathRefused when `target` is outside of it."""
    try:
        return target.resolve().relative_to(home.resolve()).as_posix()
    except ValueError as error:
        raise PathRefused(
            f"{target} is outside {home}; only a file inside it can be registered.",
            remedy="Name a path inside that folder with --out, or leave --name out.",
        ) from error


def _plan_registration(name: str, version: str | None, path: str) -> ModelCreate:
    """Return the request to register what is trained, so that a refused name ends the command before the training."""
    from understudy.models.naming import refuse_name, refuse_version

    refuse_name(name)
    refuse_version(version)
    fields = {"model_name": name, "version": version, "file_path": path, "model_type": "yamnet"}
    return validate_request(ModelCreate, fields)


async def _register(
    session: Session, report: "TrainingReport", registration: ModelCreate, *, activate: bool
) -> ModelDetail:
    measured = {
        "accuracy": round(report.evaluation.accuracy, 4),
        "description": f"Head on YAMNet embeddings, trained on {report.recordings} recordings.",
    }
    request = ModelCreate.model_validate(registration.model_dump(exclude_unset=True) | measured)
    async with session.open_backend() as backend:
        model = await backend.register(request)
        if not activate:
            return model
        await follow_operation(backend, await backend.activate(model.model_id), session.output)
        return await backend.get(model.model_id)


def _describe_registration(model: ModelDetail) -> str:
    state = "is active." if model.is_active else f"can be activated: understudy activate {model.model_id}"
    return f"{model.model_name} is registered as model {model.model_id} and {state}\nExamples: {model.examples.text}."
