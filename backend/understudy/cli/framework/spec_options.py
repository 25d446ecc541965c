"""The options that give a spec: --labels and --spec."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from understudy.cli.framework.error_translation import describe_faults
from understudy.cli.framework.session import Session
from understudy.errors import SpecInvalid
from understudy.schemas.compiler.spec import PartialSpec

Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        show_default=False,
        help="Labels of the outputs, in the order of training: a,b,c or a .txt, .json or .csv file.",
    ),
]
SpecFile = Annotated[
    Path | None,
    typer.Option("--spec", exists=True, dir_okay=False, show_default=False, help="JSON file with the spec."),
]


def parse_spec_options(session: Session, labels: str | None, path: Path | None) -> PartialSpec | None:
    """Merge `--labels` and `--spec`; `--labels` wins. None without either. Raises SpecInvalid."""
    if labels is None and path is None:
        return None
    try:
        labels_only = PartialSpec() if labels is None else PartialSpec(labels=_parse_labels(session, labels))
    except ValidationError as error:
        raise SpecInvalid(f"--labels: {describe_faults(error)}.") from error
    if path is None:
        return labels_only
    from understudy.registry.files.sidecar import read_spec

    return labels_only.over(read_spec(path, str(path)))


def _parse_labels(session: Session, given: str) -> tuple[str, ...]:
    """Return the labels of a comma-separated list or, when `given` names a file, those in it."""
    from understudy.registry.files.label_files import SUFFIXES, read_label_file

    if (file := _find_file(session, given)) is not None:
        content = read_label_file(file, given)
        if content.note is not None:
            session.output.print_note(f"{content.note} Check the labels: {', '.join(content.labels)}")
        return content.labels
    parts = [part.strip() for part in given.split(",") if part.strip()]
    if _means_file(parts, SUFFIXES):
        raise SpecInvalid(
            f"--labels: there is no file {given}, neither in this folder nor in the home folder.",
            remedy="Correct the path, or give the labels themselves: --labels a,b,c. A single label that contains a "
            "slash goes into a file.",
        )
    return tuple(parts)


def _find_file(session: Session, given: str) -> Path | None:
    """Return the file in this folder, else the one in the home folder, as model paths are written."""
    folders = [Path()] if session.url is not None else [Path(), session.load_settings().home]
    spellings = dict.fromkeys((given.strip(), given.strip().replace("\\", "/")))
    for place in (folder / spelling for folder in folders for spelling in spellings):
        try:
            if place.is_file():
                return place
        except (OSError, ValueError):  # a list of labels can be too long for a path
            continue
    return None


def _means_file(parts: Sequence[str], suffixes: tuple[str, ...]) -> bool:
    """True for what is a path and no list of labels: one part with a slash, or any part that ends as a file does."""
    alone = len(parts) == 1 and ("/" in parts[0] or "\\" in parts[0])
    return alone or any(part.lower().endswith(suffixes) for part in parts)
