"""Find the recordings that a head is trained on: one folder for each label, and a fold for each clip."""

import csv
import io
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from understudy.audio.suffixes import SUFFIXES
from understudy.errors import TrainingDataInvalid
from understudy.files.regular_file import open_regular

_PREFIX = re.compile(r"(\d+)[-_]")


@dataclass(frozen=True)
class Recording:
    """One clip with its label and its fold.

    Clips of one original recording must share a fold; otherwise the measured accuracy is too high.
    """

    path: Path
    label: str
    fold: str


def find_recordings(data: Path, folds: Literal["prefix"] | Path) -> list[Recording]:
    """Return all clips in the folders of `data`, one folder for each label, sorted by path.

    `folds` is "prefix" (the file `2-rain.wav` lies in fold 2) or a CSV file with the columns `file` (relative to
    `data`) and `fold`. Hidden files and files without an audio suffix are ignored. Raises TrainingDataInvalid, with the
    name of the folder, clip or label, when there are fewer than two labels or folds, when a clip has no fold, and when
    all clips of a label lie in one fold.
    """
    if not data.is_dir():
        raise TrainingDataInvalid(f"{data} is not a folder.")
    table = None if folds == "prefix" else _read_table(Path(folds))
    recordings = [
        Recording(path, path.parent.name, _find_fold(path, data, table))
        for path in sorted(data.glob("*/*"))
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    folds_by_label: dict[str, set[str]] = defaultdict(set)
    for recording in recordings:
        folds_by_label[recording.label].add(recording.fold)
    if len(folds_by_label) < 2:
        found = f"only the label {next(iter(folds_by_label))}" if folds_by_label else "no clips in label folders"
        raise TrainingDataInvalid(f"{data} holds {found}; a classifier needs at least two labels.")
    if len({recording.fold for recording in recordings}) < 2:
        raise TrainingDataInvalid(f"All clips in {data} lie in one fold; measuring accuracy needs at least two.")
    for label, seen in folds_by_label.items():
        if label != label.strip():
            raise TrainingDataInvalid(
                f"The folder {label!r} begins or ends with a space, which a label cannot.", remedy="Rename the folder."
            )
        if len(seen) < 2:
            raise TrainingDataInvalid(
                f"All clips of {label} lie in fold {next(iter(seen))}, so no clip of {label} is left to train on "
                "while that fold is tested.",
                remedy="Spread the clips of every label over at least two folds.",
            )
    return recordings


def _find_fold(path: Path, data: Path, table: dict[str, str] | None) -> str:
    if table is None:
        found = _PREFIX.match(path.name)
        if found is None:
            raise TrainingDataInvalid(
                f"{path} has no fold in its name.",
                remedy="Name clips FOLD-anything, such as 2-rain.wav, or give a CSV of file and fold.",
            )
        return found[1]
    name = path.relative_to(data).as_posix()
    if name not in table:
        raise TrainingDataInvalid(f"The fold table does not name {name}.", remedy="Add the clip to the table.")
    return table[name]


def _read_table(path: Path) -> dict[str, str]:
    try:
        with open_regular(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text))
        return {row["file"].replace("\\", "/"): row["fold"] for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, AttributeError) as error:
        raise TrainingDataInvalid(
            f"{path} is not a fold table: {error}", remedy="Give a CSV with the columns file and fold."
        ) from error
