"""Reads lists of labels from the files that training scripts write beside a model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from understudy.errors import SpecInvalid
from understudy.files.text_file import read_text_file
from understudy.label_lists import FORMS, parse_labels
from understudy.registry.database.column_values import has_nul
from understudy.schemas.compiler.spec import PartialSpec

SUFFIXES = (".txt", ".json", ".csv")
_STEMS = ("labels", "class_names")


@dataclass(frozen=True)
class LabelList:
    """The labels of a file, in the order of the model's outputs. `note` says that its encoding was guessed."""

    labels: tuple[str, ...]
    note: str | None = None


def list_paths_beside(path: str, *, folder: bool) -> Iterator[str]:
    """Yield the paths of the label files that may lie beside a model; all paths are POSIX and relative."""
    model = PurePosixPath(path)
    own = f"{model.name if folder else model.stem}.labels"
    for stem in (own, *_STEMS):
        for suffix in SUFFIXES:
            yield str(model.with_name(f"{stem}{suffix}"))


def read_label_file(path: Path, name: str) -> LabelList:
    """Read the labels from a file, which messages call `name`; raises SpecInvalid. See `parse_labels` for the forms."""
    content = read_text_file(path, name)
    labels = parse_labels(content.text, path.suffix, name)
    try:
        checked = PartialSpec(labels=tuple(label.strip() for label in labels)).labels
    except ValidationError as error:
        raise SpecInvalid(f"{name}: {error.errors()[0]['msg']}.", remedy=f"Correct the file. {FORMS}") from error
    if checked is None or has_nul(checked):
        raise SpecInvalid(f"{name} holds no usable labels.", remedy=f"Correct the file. {FORMS}")
    return LabelList(checked, content.note)
