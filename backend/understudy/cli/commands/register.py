"""The command that registers a model; `scripts/register_model.py` runs it too."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from understudy.cli.backends.backend import Backend
from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import describe_faults, validate_request
from understudy.cli.framework.options import (
    Accuracy,
    Description,
    ModelPath,
    ModelType,
    Version,
    collect_columns,
)
from understudy.cli.framework.session import Session
from understudy.cli.views import model as model_view
from understudy.errors import SpecInvalid, UnderstudyError
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelCreate, ModelOut

group = typer.Typer()


@command(
    group,
    "register",
    example='understudy register --name "Siren v2" --path models/siren_v2.keras --version v2.0 --activate',
    remote=True,
)
async def register(
    session: Session,
    name: Annotated[str, typer.Option("--name", help="Unique name.")],
    path: ModelPath,
    version: Version = None,
    description: Description = None,
    model_type: ModelType = None,
    accuracy: Accuracy = None,
    activate: Annotated[bool, typer.Option("--activate", help="Make the model live; running servers follow.")] = False,
    labels: Annotated[
        str | None,
        typer.Option("--labels", show_default=False, help="Labels of the outputs: a,b,c or a file, one on each line."),
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            "--spec",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="JSON file with the spec.",
        ),
    ] = None,
) -> None:
    """Register a model file that lies in the backend folder."""
    given = collect_columns(name, path, version, description, model_type, accuracy)
    request = validate_request(ModelCreate, given | {"spec": parse_given_spec(labels, spec)})
    async with session.open_backend() as backend:
        model = await backend.register(request)
        if activate:
            model = await _activate(session, backend, model)
    session.output.print_answer(model, model_view.format_model(model))


async def _activate(session: Session, backend: Backend, model: ModelOut) -> ModelOut:
    try:
        await follow_operation(backend, await backend.activate(model.model_id), session.output)
    except UnderstudyError as error:
        error.add_note(
            f"The model is registered as model {model.model_id} but not active. "
            f"To try again: understudy activate {model.model_id}"
        )
        raise
    return await backend.get(model.model_id)


def parse_given_spec(labels: str | None, path: Path | None) -> PartialSpec | None:
    """Merge `--labels` and `--spec`; `--labels` wins. Raises SpecInvalid."""
    if labels is None and path is None:
        return None
    try:
        labels_only = PartialSpec() if labels is None else PartialSpec(labels=_parse_labels(labels))
    except ValidationError as error:
        raise SpecInvalid(f"--labels: {describe_faults(error)}.") from error
    if path is None:
        return labels_only
    from understudy.registry.files.sidecar import read_spec

    return labels_only.over(read_spec(path, str(path)))


def _parse_labels(given: str) -> tuple[str, ...]:
    """Return the labels of a comma-separated list or, when `given` names a file, its lines."""
    file = Path(given)
    parts = file.read_text("utf-8-sig").splitlines() if file.is_file() else given.split(",")
    return tuple(part.strip() for part in parts if part.strip())
