"""Finds the examples that a training wrote beside a model file."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from understudy.files.regular_file import open_regular
from understudy.schemas.registry.examples_folder import CSV_NAME, DIGEST_NAME, name_examples_folder, parse_digest

_MOST_BYTES = 4096


@dataclass(frozen=True)
class ExamplesBeside:
    """An examples.csv in the folder beside a model file; `path` is POSIX and relative to the home folder.

    `own` is true when the folder names the digest of this very file. Otherwise they may be those of another model that
    had the same name.
    """

    path: str
    place: Path
    own: bool


def locate_examples(path: str, *, folder: bool) -> str:
    """Return the path of the examples.csv of a model file or SavedModel folder; both are POSIX and relative."""
    model = PurePosixPath(path)
    return str(model.with_name(name_examples_folder(model, folder=folder)) / CSV_NAME)


def is_written_for(place: Path, digest: str) -> bool:
    """True when the folder of the examples.csv at `place` names `digest`, SHA-256 in hex."""
    try:
        with open_regular(place.with_name(DIGEST_NAME)) as file:
            return parse_digest(file.read(_MOST_BYTES).decode()) == digest
    except (OSError, UnicodeDecodeError):
        return False
