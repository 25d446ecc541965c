"""The command that registers a model; `scripts/register_model.py` runs it too."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.backends.backend import Backend
from understudy.cli.follow_operation import follow_operation
from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import validate_request
from understudy.cli.framework.options import (
    Accuracy,
    Description,
    ExamplesFile,
    ModelPath,
    ModelType,
    TensorsOnly,
    Version,
    check_examples,
    collect_columns,
)
from understudy.cli.framework.session import Session
from understudy.cli.framework.spec_options import Labels, SpecFile, parse_spec_options
from understudy.cli.views.registry import model as model_view
from understudy.errors import UnderstudyError
from understudy.schemas.registry.model import ModelCreate
from understudy.schemas.registry.model_detail import ModelDetail

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
    tensors_only: TensorsOnly = False,
    labels: Labels = None,
    spec: SpecFile = None,
    examples: ExamplesFile = None,
) -> None:
    """Register a model file that lies in the backend folder."""
    if tensors_only and not activate:
        raise typer.BadParameter("--tensors-only needs --activate: every model can be registered.")
    check_examples(examples)
    given = collect_columns(name, path, version, description, model_type, accuracy)
    request = validate_request(ModelCreate, given | {"spec": parse_spec_options(session, labels, spec)})
    async with session.open_backend() as backend:
        model = await backend.register(request)
        if examples is not None:
            model = await _add_examples(backend, model, examples)
        if activate:
            model = await _activate(session, backend, model, tensors_only=tensors_only)
    session.output.print_answer(model, model_view.format_model(model))


async def _add_examples(backend: Backend, model: ModelDetail, file: Path) -> ModelDetail:
    with _note_registration(model, "without examples", f"update {model.model_id} --examples {file}"):
        await backend.set_examples(model.model_id, file)
    return await backend.get(model.model_id)


async def _activate(session: Session, backend: Backend, model: ModelDetail, *, tensors_only: bool) -> ModelDetail:
    with _note_registration(model, "but not active", f"activate {model.model_id}"):
        operation = await backend.activate(model.model_id, tensors_only=tensors_only)
        await follow_operation(backend, operation, session.output)
    return await backend.get(model.model_id)


@contextmanager
def _note_registration(model: ModelDetail, state: str, command: str) -> Iterator[None]:
    """Add to an error of the block that the model is registered, and the command that tries again."""
    try:
        yield
    except UnderstudyError as error:
        error.add_note(f"The model is registered as model {model.model_id} {state}. To try again: understudy {command}")
        raise
