"""Commands on registered models: list, show, update, examples, delete, status."""

from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.framework.command import command
from understudy.cli.framework.error_translation import validate_request
from understudy.cli.framework.options import (
    Accuracy,
    Cursor,
    Description,
    ExamplesFile,
    ModelId,
    ModelType,
    SomeModelId,
    Version,
    check_examples,
    collect_columns,
)
from understudy.cli.framework.session import Session
from understudy.cli.framework.spec_options import Labels, SpecFile, parse_spec_options
from understudy.cli.views.cells import to_text
from understudy.cli.views.installation import status as status_view
from understudy.cli.views.registry import compile_report as report_view
from understudy.cli.views.registry import examples as examples_view
from understudy.cli.views.registry import model as model_view
from understudy.errors import UnderstudyError
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelUpdate
from understudy.schemas.registry.model_query import ModelQuery

group = typer.Typer()


class Clearable(StrEnum):
    """Names what --clear can empty: columns, what was given of the spec, and the examples."""

    VERSION = "version"
    DESCRIPTION = "description"
    TYPE = "type"
    ACCURACY = "accuracy"
    LABELS = "labels"
    SPEC = "spec"
    EXAMPLES = "examples"


_COLUMN = {Clearable.TYPE: "model_type"}
_NO_COLUMN = (Clearable.LABELS, Clearable.SPEC, Clearable.EXAMPLES)


@command(group, "list", example="understudy list --search siren --sort=-accuracy", remote=True)
async def list_models(
    session: Session,
    search: Annotated[
        str | None,
        typer.Option("--search", "-q", show_default=False, help="Text in name, version, description or path."),
    ] = None,
    model_type: Annotated[
        str | None, typer.Option("--type", show_default=False, help="Only models of this type.")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            "--sort",
            help="id, name, version, type, accuracy, created_at or updated_at; - before it: descending.",
        ),
    ] = "id",
    limit: Annotated[int, typer.Option("--limit", help="Models on one page, 1 to 500.")] = 100,
    cursor: Cursor = None,
) -> None:
    """List the registered models, the active one highlighted."""
    fields = {"q": search, "type": model_type, "sort": sort, "limit": limit, "cursor": cursor}
    query = validate_request(ModelQuery, fields)
    async with session.open_backend(read_only=True) as backend:
        answer = await backend.list(query)
    session.output.print_answer(answer, model_view.format_models(answer), model_view.format_page_summary(answer))


@command(group, "show", example="understudy show 2 --report", remote=True)
async def show(
    session: Session,
    model_id: SomeModelId = None,
    report: Annotated[bool, typer.Option("--report", help="Show the compile report instead of the model.")] = False,
) -> None:
    """Show one model; without MODEL_ID, the active one."""
    async with session.open_backend(read_only=True) as backend:
        model = await (backend.get_active() if model_id is None else backend.get(model_id))
        compiled = await backend.get_report(model.model_id) if report else None
        signature = None
        with suppress(UnderstudyError):  # the file may be missing, and the server an earlier one
            signature = await backend.get_signature(model.model_id)
        if compiled is not None:
            session.output.print_answer(compiled, report_view.format_report(compiled, signature))
        else:
            session.output.print_answer(model, model_view.format_model(model, signature))


@command(
    group, "update", example='understudy update 2 --accuracy 0.95 --description "Updated description"', remote=True
)
async def update(
    session: Session,
    model_id: ModelId,
    name: Annotated[str | None, typer.Option("--name", show_default=False, help="Unique name.")] = None,
    path: Annotated[
        str | None,
        typer.Option("--path", show_default=False, help="Another file. Refused while the model is active."),
    ] = None,
    version: Version = None,
    description: Description = None,
    model_type: ModelType = None,
    accuracy: Accuracy = None,
    labels: Labels = None,
    spec: SpecFile = None,
    examples: ExamplesFile = None,
    clear: Annotated[
        list[Clearable] | None, typer.Option("--clear", show_default=False, help="Empty this; may be repeated.")
    ] = None,
) -> None:
    """Change the facts about a model. What has no option stays as it is.

    --labels changes the labels, and --spec replaces the whole spec that was given before. The live model keeps its
    labels and its spec until it is activated again. --examples replaces the examples, which belong to the model file.
    """
    check_examples(examples)
    changes = collect_columns(name, path, version, description, model_type, accuracy)
    changes |= {_COLUMN.get(column, column.value): None for column in clear or () if column not in _NO_COLUMN}
    changes |= _collect_spec(session, labels, spec, clear or ())
    drops_examples = Clearable.EXAMPLES in (clear or ())
    if not (changes or examples or drops_examples):
        raise typer.BadParameter("Name at least one option that changes something.")
    if examples and drops_examples:
        raise typer.BadParameter("--examples replaces the examples, and --clear examples removes them.")
    async with session.open_backend() as backend:
        if changes:
            await backend.update(model_id, validate_request(ModelUpdate, changes))
        if examples is not None:
            await backend.set_examples(model_id, examples)
        elif drops_examples:
            await backend.remove_examples(model_id)
        model = await backend.get(model_id)
    session.output.print_answer(model, model_view.format_model(model))


def _collect_spec(
    session: Session, labels: str | None, path: Path | None, clear: Sequence[Clearable]
) -> dict[str, PartialSpec | None]:
    """Return the change of the spec that the options ask for; empty without one."""
    given = parse_spec_options(session, labels, path)
    change: dict[str, object] = dict.fromkeys(PartialSpec.model_fields) if path or Clearable.SPEC in clear else {}
    if given is not None:
        change |= given.to_document()
    elif Clearable.SPEC in clear:
        return {"spec": None}
    if Clearable.LABELS in clear:
        change["labels"] = None
    return {"spec": PartialSpec.model_validate(change)} if change else {}


@command(group, "examples", example="understudy examples 2", remote=True)
async def show_examples(session: Session, model_id: ModelId) -> None:
    """Show the examples of a model, and how its answers compare with them, clip by clip.

    The examples are run after each compilation by a server, by `understudy compile` and by `understudy activate`.
    """
    async with session.open_backend(read_only=True) as backend:
        found = await backend.get_examples(model_id)
    session.output.print_answer(found, examples_view.format_examples(found))


@command(group, "delete", example="understudy delete 2", remote=True)
async def delete(session: Session, model_id: ModelId) -> None:
    """Delete a model from the registry. Its file stays. The active model is refused."""
    async with session.open_backend() as backend:
        deleted = await backend.delete(model_id)
    session.output.print_answer(deleted, to_text(deleted.detail))


@command(group, "status", example="understudy status --url http://127.0.0.1:8000", remote=True)
async def status(session: Session) -> None:
    """Show the desired model, the live model of each server, the backbone and the database."""
    async with session.open_backend(read_only=True) as backend:
        answer = await backend.get_status()
    session.output.print_answer(answer, status_view.format_status(answer, server=session.url is not None))
