"""Reads examples.csv: one row for each clip, with what the author's own script answered for it."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from understudy.errors import ExamplesInvalid, PathRefused, SpecInvalid
from understudy.files.text_file import TextFile, decode_text, read_text_file
from understudy.registry.files import paths
from understudy.schemas.registry.examples import DEFAULT_TOLERANCE, MOST_EXAMPLES, Expectation

_FILE, _LABEL, _SCORE, _TOLERANCE = _COLUMNS = ("file", "label", "score", "tolerance")
_PREFIX = "score:"  # before the name of a label that is also the name of another column
_DELIMITERS = ",;\t"
_DECIMAL_COMMA_DELIMITERS = ";\t"


@dataclass(frozen=True)
class FoundClip:
    """A clip's file and the answer that is expected of it."""

    expected: Expectation
    path: Path


def parse_csv(content: bytes, name: str) -> list[Expectation]:
    """Parse the bytes of a file that messages call `name`.

    The columns are `file`, and at least one of `label`, `score` (of `label`) and one column for each label; `tolerance`
    is optional. A label with the name of one of these columns is written `score:NAME`. An empty cell says nothing. The
    text is UTF-8, or UTF-16 with a byte order mark; the delimiter is a comma, a semicolon or a tab.

    Raises ExamplesInvalid, which names the line.
    """
    try:
        text = decode_text(content, name)
    except SpecInvalid as error:
        raise ExamplesInvalid(error.detail, remedy=error.remedy) from error
    return _parse_text(text, name)


def read_folder(path: Path) -> list[FoundClip]:
    """Read an examples.csv and find its clips, which lie in the folder of the file or below it.

    Raises ExamplesInvalid for the file, and for a clip that is missing or lies elsewhere.
    """
    try:
        text = read_text_file(path, str(path))
    except SpecInvalid as error:
        raise ExamplesInvalid(error.detail, remedy=error.remedy) from error
    folder = path.parent.resolve()
    return [FoundClip(each, _find_clip(folder, each.file)) for each in _parse_text(text, str(path))]


def match_uploads(
    expected: Sequence[Expectation], uploads: Mapping[str, object], csv_name: str
) -> Iterator[tuple[Expectation, str]]:
    """Yield each expectation with the name of the uploaded file that is its clip.

    An upload is found by its path relative to the CSV's or, where the client sent no folders, by its bare file name.
    Raises ExamplesInvalid for a clip that was not sent or can be two of the files.
    """
    folder = PurePosixPath(csv_name.replace("\\", "/")).parent
    by_path = {str(PurePosixPath(name.replace("\\", "/"))): name for name in uploads}
    for each in expected:
        exact = by_path.get(str(folder / each.file)) or by_path.get(each.file)
        bare = [name for path, name in by_path.items() if PurePosixPath(path).name == PurePosixPath(each.file).name]
        if exact is None and len(bare) != 1:
            what = "was not sent" if not bare else f"can be {' or '.join(sorted(bare)[:3])}"
            raise ExamplesInvalid(f"The clip {each.file} {what}.", remedy="Send every clip that the file names, once.")
        yield each, exact or bare[0]


def normalize_clip_name(file: str) -> str:
    """Return the path of a clip with forward slashes; raises ExamplesInvalid for one that leads out of the folder."""
    try:
        return paths.normalize_relative(file)
    except PathRefused as error:
        raise ExamplesInvalid(
            f"The clip {file!r} is not a path inside the folder of the examples file.",
            remedy="Put the clips beside the examples file or in folders below it, and name them relative to it.",
        ) from error


def refuse_doubles(expected: Iterable[Expectation]) -> None:
    """Raises ExamplesInvalid where a clip is named twice, or where there are too many examples or none."""
    seen: set[str] = set()
    for each in expected:
        if each.file in seen:
            raise ExamplesInvalid(f"The clip {each.file} occurs twice.", remedy="Name every clip once.")
        seen.add(each.file)
    if not seen:
        raise ExamplesInvalid("There are no examples.", remedy="Write one row for each clip below the first line.")
    if len(seen) > MOST_EXAMPLES:
        raise ExamplesInvalid(f"There are {len(seen)} examples, and a model may have {MOST_EXAMPLES}.")


def _find_clip(folder: Path, file: str) -> Path:
    try:
        place = (folder / file).resolve()
        if not place.is_relative_to(folder):
            raise ExamplesInvalid(f"The clip {file} is a link that leads out of the folder of the examples file.")
        if not place.is_file():
            raise ExamplesInvalid(f"There is no clip {file} in {folder}.", remedy="Correct the path in the file.")
    except OSError as error:
        raise ExamplesInvalid(f"The clip {file} cannot be read: {error.strerror}.") from error
    return place


def _parse_text(text: TextFile, name: str) -> list[Expectation]:
    if text.note is not None:  # a guessed encoding may spell the labels wrong
        raise ExamplesInvalid(f"{name} is not UTF-8.", remedy="Save the file as UTF-8, then try again.")
    delimiter = _choose_delimiter(text.text.partition("\n")[0], name)
    try:
        rows = list(csv.reader(io.StringIO(text.text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ExamplesInvalid(f"{name} is not a CSV file: {error}.") from error
    columns = _check_header([cell.strip() for cell in rows[0]], name)
    found = []
    for number, cells in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in cells):
            found.append(_parse_row(columns, cells, delimiter, f"{name}, line {number}"))
    refuse_doubles(found)
    return found


def _choose_delimiter(header: str, name: str) -> str:
    for delimiter in _DELIMITERS:
        if _FILE in [cell.strip().strip('"') for cell in header.split(delimiter)] and delimiter in header:
            return delimiter
    raise ExamplesInvalid(
        f"The first line of {name} does not name the column file and another one: {header[:80]!r}.",
        remedy="Begin the file with the names of the columns, such as: file,label,score",
    )


def _check_header(columns: list[str], name: str) -> list[str]:
    while columns and not columns[-1]:
        columns.pop()
    if "" in columns:
        raise ExamplesInvalid(f"Column {columns.index('') + 1} of {name} has no name.")
    doubled = next((each for each in columns if columns.count(each) > 1), None)
    if doubled is not None:
        raise ExamplesInvalid(f"{name} has the column {doubled} twice.")
    if not set(columns) - {_FILE, _TOLERANCE, _SCORE}:
        raise ExamplesInvalid(f"{name} has neither a column label nor a column of a label's scores.")
    if _SCORE in columns and _LABEL not in columns:
        raise ExamplesInvalid(
            f"{name} has a column score and no column label.",
            remedy=f"Add the column label; the scores of a label called score stand in the column {_PREFIX}score.",
        )
    return columns


def _parse_row(columns: list[str], cells: list[str], delimiter: str, where: str) -> Expectation:
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise ExamplesInvalid(
            f"{where} has more cells than the first line.",
            remedy='Put text that contains the delimiter in quotation marks: "a, b".',
        )
    values = {column: value for column, cell in zip(columns, cells, strict=False) if (value := cell.strip())}
    file, label = values.pop(_FILE, None), values.pop(_LABEL, None)
    if file is None:
        raise ExamplesInvalid(f"{where} names no file.")
    numbers = {column: _parse_number(value, delimiter, f"{where}, {column}") for column, value in values.items()}
    tolerance = numbers.pop(_TOLERANCE, DEFAULT_TOLERANCE)
    score = numbers.pop(_SCORE, None)
    scores = {column.removeprefix(_PREFIX): number for column, number in numbers.items()}
    if score is not None:
        if label is None:
            raise ExamplesInvalid(f"{where} has a score and no label.")
        if scores.setdefault(label, score) != score:
            raise ExamplesInvalid(f"{where} gives {label} two scores: {score:g} and {scores[label]:g}.")
    try:
        return Expectation(file=normalize_clip_name(file), label=label, scores=scores, tolerance=tolerance)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ExamplesInvalid(f"{where}: {'.'.join(map(str, problem['loc'])) or 'row'}: {problem['msg']}.") from error


def _parse_number(text: str, delimiter: str, where: str) -> float:
    if delimiter in _DECIMAL_COMMA_DELIMITERS and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise ExamplesInvalid(f"{where}: {text[:50]!r} is not a number.")
    return number
