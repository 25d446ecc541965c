"""Shows registered models, one or many."""

from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from understudy.cli.views.cells import build_fact_table, format_bytes, format_time, to_text
from understudy.cli.views.registry.examples import format_summary
from understudy.schemas.registry.model import ModelList, ModelOut
from understudy.schemas.registry.model_detail import ModelDetail
from understudy.schemas.registry.signature import ModelSignature


def _format_file(model: ModelOut) -> Text:
    path = to_text(model.file_path)
    if not model.file_exists:
        return path.append("  missing", "bold red")
    return path.append("  changed", "bold yellow") if model.file_changed else path


def _format_compile_state(model: ModelOut) -> Text:
    words = {
        "ready": ("ready", "green"),
        "not_compiled": ("not yet", "dim"),
        "compiling": ("compiling", "cyan"),
        "refused": ("refused", "bold red"),
    }
    word, style = words.get(model.compile_state, (model.compile_state, ""))
    return Text(word, style)


def format_models(answer: ModelList) -> RenderableType:
    """Return a page of models as a table with the active model highlighted."""
    if not answer.models:
        return Text("No models are registered." if not answer.total else "No model on this page.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "id", "name", "version", "type", "accuracy", "compiled", "file"):
        table.add_column(heading, justify="right" if heading in {"id", "accuracy"} else "left", overflow="fold")
    for model in answer.models:
        table.add_row(
            Text("●" if model.is_active else " "),
            str(model.model_id),
            to_text(model.model_name),
            to_text(model.version),
            to_text(model.model_type),
            to_text(model.accuracy),
            _format_compile_state(model),
            _format_file(model),
            style="bold green" if model.is_active else "",
        )
    return table


def format_page_summary(answer: ModelList) -> Text:
    """Return one line: how many models there are, which one is active, and the option for the next page."""
    active = answer.active_model
    line = f"{len(answer.models)} of {answer.total}; " + (
        f"active: {active.model_name} (model {active.model_id})" if active else "no model is active"
    )
    return to_text(line + (f"; next page: --cursor {answer.next_cursor}" if answer.next_cursor else ""), "dim")


# A line of more facts, which are a model's thresholds, hides the lines around it.
_MOST_FACTS = 40


def _format_labels(model: ModelDetail) -> Text:
    given = model.given_spec.labels if model.given_spec else None
    count = "" if model.label_count is None else f"{model.label_count}, "
    if given is not None:
        return to_text(f"{len(given)} given: {', '.join(given)}")
    words = {None: "known after the model is compiled", True: f"{count}named by the sidecar or the file"}
    return to_text(words.get(model.labels_named, f"{count}without names: class_0, class_1, …"))


def _list_pipeline(model: ModelDetail) -> Iterator[tuple[str, Text]]:
    """Yield the model's way from a recording to its label, a line for each step."""
    if model.preset:
        yield "preset", to_text(model.preset)
    for step in model.pipeline:
        line = to_text(f"{step.title}: " if step.facts or step.unsaid else step.title, "bold")
        for index, fact in enumerate(step.facts[:_MOST_FACTS]):
            changed = "" if fact.preset_value is None else f" (preset: {fact.preset_value})"
            line.append(", " if index else "")
            line.append_text(to_text(f"{fact.name} {fact.value}{changed}", "cyan" if changed else ""))
        if len(step.facts) > _MOST_FACTS:
            line.append(f", and {len(step.facts) - _MOST_FACTS} more: --json lists them")
        for unsaid in step.unsaid:
            line.append_text(to_text(f" not said: {unsaid}", "yellow"))
        yield step.kind, line


def format_model(model: ModelDetail, signature: ModelSignature | None = None) -> RenderableType:
    """Return all facts about one model."""
    refusal = model.compile_error
    return build_fact_table(
        [
            ("model_id", str(model.model_id)),
            ("name", to_text(model.model_name, "bold")),
            ("state", Text("● active", "bold green") if model.is_active else Text("not active")),
            ("version", to_text(model.version)),
            ("type", to_text(model.model_type)),
            ("accuracy", to_text(model.accuracy)),
            ("description", to_text(model.description)),
            ("file", _format_file(model)),
            ("size", format_bytes(model.file_bytes)),
            ("digest", to_text(model.digest)),
            ("labels", _format_labels(model)),
            ("compiled", _format_compile_state(model)),
            *_list_pipeline(model),
            ("examples", format_summary(model.examples)),
            *([("signature", to_text(signature.detail))] if signature else []),
            *([("refused for", to_text(refusal.detail, "red"))] if refusal else []),
            *([("remedy", to_text(refusal.remedy))] if refusal else []),
            ("created", format_time(model.created_at)),
            ("updated", format_time(model.updated_at)),
            *(("note", to_text(note, "yellow")) for note in model.notes),
        ]
    )
