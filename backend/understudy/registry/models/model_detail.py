"""Describes one model in full: its row, its file, its spec, its labels and the label files beside it."""

from typing import Any

import structlog

from understudy.compiler.compiled_store import CompiledStore
from understudy.errors import FIND_SPEC, SpecInvalid
from understudy.registry.files.model_files import ModelFiles
from understudy.registry.models.file_records import RegisteredFile
from understudy.registry.models.spec_reading import SpecReading, read_spec_now
from understudy.registry.models.specs.pipeline_steps import describe_pipeline
from understudy.registry.models.table.rows import Row
from understudy.schemas.compiler.assumptions import describe_assumptions
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.registry.examples import ExamplesSummary, ProofState
from understudy.schemas.registry.model import ModelOut
from understudy.schemas.registry.model_detail import LabelFile, ModelDetail

log = structlog.get_logger()

_NOTHING: dict[str, Any] = {
    "given_spec": None,
    "spec_pending": False,
    "label_count": None,
    "labels_named": None,
    "preset": None,
    "pipeline": (),
    "label_files": (),
    "notes": (),
}


def add_details(
    files: ModelFiles, store: CompiledStore, row: Row, answer: ModelOut, examples: ExamplesSummary
) -> ModelDetail:
    """Return the answer with what is known about spec and labels. Blocks on the disk.

    Never raises, because it may follow a commit: what cannot be read is left out, and a note says so.
    """
    try:
        details = _describe(files, store, row)
        details["notes"] = (*details["notes"], *_offer_examples(files, row, examples))
    except SpecInvalid as error:
        details = {"notes": (f"{error.detail} {error.remedy}",)}
    except Exception as error:  # the change is committed already, so its answer must not fail
        log.exception("a model could not be described", model_id=row.model.model_id)
        details = {"notes": (f"The spec and the labels could not be read: {error}",)}
    return ModelDetail.model_validate(answer.model_dump() | _NOTHING | details | {"examples": examples})


def _describe(files: ModelFiles, store: CompiledStore, row: Row) -> dict[str, Any]:
    label_files = files.read_label_files(row.model.file_path)
    if row.record is None:
        return {"label_files": label_files, "notes": _offer(row, label_files, None)}
    recorded = RegisteredFile.from_rows(row.model, row.record)
    reading = read_spec_now(files, recorded)
    report = store.read_report(store.compute_key(recorded.facts.digest, recorded.spec))
    return {
        "given_spec": recorded.given,
        "spec_pending": reading.pending,
        "label_count": (len(report.spec.labels) or None) if report else None,
        "labels_named": report.spec.labels_named if report else None,
        "preset": report.spec.preset if report else None,
        "pipeline": describe_pipeline(report) if report else (),
        "label_files": label_files,
        "notes": (
            *reading.notes,
            *_explain_pending(row, reading),
            *_explain_unnamed(row, reading, report),
            *_explain_tensors(row, report),
            *_explain_assumptions(report),
            *([] if reading.model.spec and reading.model.spec.labels else _offer(row, label_files, report)),
        ),
    }


def _explain_pending(row: Row, reading: SpecReading) -> list[str]:
    if not reading.pending:
        return []
    return [describe_pending(row.model.model_id, live=bool(row.model.is_active))]


def _explain_unnamed(row: Row, reading: SpecReading, report: CompileReport | None) -> list[str]:
    if report is None or not has_invented_labels(report) or (reading.model.spec and reading.model.spec.labels):
        return []
    return [describe_unnamed(row.model.model_id, live=bool(row.model.is_active))]


def describe_pending(model_id: int, *, live: bool) -> str:
    """Return the sentence about a model whose spec was changed after it was compiled."""
    subject = "The live model" if live else "The model"
    return (
        f"The spec was changed. {subject} answers with the earlier spec and labels until it is activated again: "
        f"understudy activate {model_id}"
    )


def has_invented_labels(report: CompileReport) -> bool:
    """True when class_0, class_1, … stand in for the labels that no source names."""
    return bool(report.spec.labels) and not report.spec.labels_named and not report.takes_tensors_only


def describe_unnamed(model_id: int, *, live: bool) -> str:
    """Return the sentence about a model whose labels have no names."""
    whose = "The live model's labels" if live else "The model's labels"
    then = f", then: understudy activate {model_id}" if live else ""
    return (
        f"{whose} have no names: its answers say class_0, class_1, … "
        f"Name them: understudy update {model_id} --labels FILE{then}"
    )


def _explain_tensors(row: Row, report: CompileReport | None) -> list[str]:
    if report is None or not report.takes_tensors_only:
        return []
    return [describe_tensors_only(row.model.model_id, report, live=bool(row.model.is_active))]


def describe_tensors_only(model_id: int, report: CompileReport, *, live: bool) -> str:
    """Return the sentences about a model that cannot score recordings."""
    subject = "The live model" if live else "The model"
    then = f", then: understudy activate {model_id}" if live else ""
    return (
        f"{subject} takes tensors only: it cannot score recordings. {describe_signature(report)} "
        "Name the features that it was trained on in its spec (docs/presets.md): "
        f"understudy update {model_id} --spec FILE{then}. To search them by the answers of the author's own script: "
        f"{FIND_SPEC}"
    )


def _explain_assumptions(report: CompileReport | None) -> list[str]:
    return [] if report is None else list(describe_assumptions(report.spec))


def describe_signature(report: CompileReport) -> str:
    """Return a sentence with the names, shapes and types of the model's inputs and outputs."""
    inputs, outputs = (", ".join(map(str, tensors)) for tensors in (report.inputs, report.outputs))
    return f"It takes {inputs} and returns {outputs}."


def _offer_examples(files: ModelFiles, row: Row, examples: ExamplesSummary) -> list[str]:
    """Return a sentence about examples beside the file that the model does not have."""
    if row.record is None or examples.state is not ProofState.NOT_PROVED:
        return []
    beside = files.find_examples(row.model.file_path, row.record.digest)
    if beside is None:
        return []
    whose = "was written for this file" if beside.own else "may belong to another file of this name"
    return [f"{beside.path} {whose}; use it: understudy update {row.model.model_id} --examples {beside.path}"]


def _offer(row: Row, label_files: list[LabelFile], report: CompileReport | None) -> list[str]:
    """Return a sentence for each label file that fits the model, and for each that cannot be used."""
    offers = []
    for file in label_files:
        name = file.file_path.rpartition("/")[2]
        if file.labels is None:
            offers.append(f"{name} beside the file cannot be used for labels. {file.note}")
        elif report is None or (len(file.labels) == len(report.spec.labels) and file.labels != report.spec.labels):
            offers.append(
                f"{name} beside the file names {len(file.labels)} labels; use it with --labels {file.file_path}: "
                f"understudy update {row.model.model_id} --labels {file.file_path}"
            )
        if file.labels is not None and file.note is not None:
            offers.append(file.note)
    return offers
