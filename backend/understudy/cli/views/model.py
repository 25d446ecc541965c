"""Registered models, one or many."""

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import facts, moment, size, text
from understudy.schemas.registry.model import ModelList, ModelOut


def _file(model: ModelOut) -> Text:
    shown = text(model.file_path)
    if not model.file_exists:
        return shown.append("  missing", "bold red")
    return shown.append("  changed", "bold yellow") if model.file_changed else shown


def _compiled(model: ModelOut) -> Text:
    words = {
        "ready": ("ready", "green"),
        "not_compiled": ("not yet", "dim"),
        "compiling": ("compiling", "cyan"),
        "refused": ("refused", "bold red"),
    }
    word, style = words.get(model.compile_state, (model.compile_state, ""))
    return Text(word, style)


def models(answer: ModelList) -> RenderableType:
    """The page as a table, the active model highlighted."""
    if not answer.models:
        return Text("No models are registered." if not answer.total else "No model on this page.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "id", "name", "version", "type", "accuracy", "compiled", "file"):
        table.add_column(heading, justify="right" if heading in {"id", "accuracy"} else "left", overflow="fold")
    for model in answer.models:
        table.add_row(
            Text("●" if model.is_active else " "),
            str(model.model_id),
            text(model.model_name),
            text(model.version),
            text(model.model_type),
            text(model.accuracy),
            _compiled(model),
            _file(model),
            style="bold green" if model.is_active else "",
        )
    return table


def below(answer: ModelList) -> Text:
    """How many there are, which one is active and how to go on."""
    active = answer.active_model
    line = f"{len(answer.models)} of {answer.total}; " + (
        f"active: {active.model_name} (model {active.model_id})" if active else "no model is active"
    )
    return text(line + (f"; next page: --cursor {answer.next_cursor}" if answer.next_cursor else ""), "dim")


def model(shown: ModelOut) -> RenderableType:
    """Everything about one model."""
    refusal = shown.compile_error
    return facts(
        [
            ("model_id", str(shown.model_id)),
            ("name", text(shown.model_name, "bold")),
            ("state", Text("● active", "bold green") if shown.is_active else Text("not active")),
            ("version", text(shown.version)),
            ("type", text(shown.model_type)),
            ("accuracy", text(shown.accuracy)),
            ("description", text(shown.description)),
            ("file", _file(shown)),
            ("size", size(shown.file_bytes)),
            ("digest", text(shown.digest)),
            ("compiled", _compiled(shown)),
            *([("refused for", text(refusal.detail, "red"))] if refusal else []),
            *([("remedy", text(refusal.remedy))] if refusal else []),
            ("created", moment(shown.created_at)),
            ("updated", moment(shown.updated_at)),
        ]
    )
