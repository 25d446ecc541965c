"""Parses lists of labels in the forms that training scripts write them."""

import csv
import json
import re
from collections.abc import Mapping, Sequence

from understudy.errors import SpecInvalid

FORMS = "Give one label on each line, a JSON list of labels, or a CSV file with a column named label."

_JSON_KEYS = ("labels", "class_names", "classes", "id2label", "names")
_LABEL_COLUMNS = ("display_name", "label", "labels", "class_name", "class_names", "name", "class")
_INDEX_COLUMNS = ("index", "id", "label_id", "class_id")
_NUMBERED = re.compile(r"(\d+)[\s:]\s*(\S.*)")


def parse_labels(text: str, suffix: str, name: str) -> list[str]:
    """Return the labels in the text of a file with this suffix, in the order of the model's outputs.

    A text file has one label on each line; numbers from 0 before all of them are dropped. JSON is a list, an object
    that holds one under a usual key, or an object from number to label or from label to number. CSV has a column of
    labels and may have one of numbers. Any other suffix is read as a text file. Raises SpecInvalid, which calls the
    file `name`.
    """
    if suffix.lower() == ".json":
        return _parse_json(text, name)
    if suffix.lower() == ".csv":
        return _parse_csv(text, name)
    return _parse_lines(text)


def _parse_lines(text: str) -> list[str]:
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text) if line.strip()]
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    found = [(int(match[1]), match[2]) for match in numbered if match]
    if len(found) == len(lines) > 1 and [number for number, _ in found] == list(range(len(lines))):
        return [label for _, label in found]
    return lines


def _parse_json(text: str, name: str) -> list[str]:
    try:
        return _find_labels(json.loads(text), name)
    except (ValueError, RecursionError) as error:
        raise SpecInvalid(f"{name} is not valid JSON.", remedy=f"Correct the file. {FORMS}") from error


def _find_labels(value: object, name: str) -> list[str]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if isinstance(value, dict):
        for key in _JSON_KEYS:
            if isinstance(value.get(key), list | dict):
                return _find_labels(value[key], name)
        if (ordered := order_labels(value)) is not None:
            return ordered
    raise SpecInvalid(f"{name} holds no list of labels.", remedy=f"Correct the file. {FORMS}")


def order_labels(value: Mapping[str, object]) -> list[str] | None:
    """Return the labels of {"0": "dog"} or {"dog": 0} in the order of their numbers; None for anything else."""
    pairs: list[tuple[int, str]] = []
    for key, item in value.items():
        if isinstance(item, str) and key.isdecimal():
            pairs.append((int(key), item))
        elif isinstance(item, int) and not isinstance(item, bool):
            pairs.append((item, key))
        else:
            return None
    return _sort_pairs(pairs)


def _sort_pairs(pairs: Sequence[tuple[int, str]]) -> list[str] | None:
    ordered = sorted(pairs)
    numbers = [number for number, _ in ordered]
    return [label for _, label in ordered] if numbers == list(range(len(numbers))) else None


def _parse_csv(text: str, name: str) -> list[str]:
    refusal = SpecInvalid(f"{name} has no column of labels.", remedy=f"Name the column `label`. {FORMS}")
    try:
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(map(str.strip, row))]
    except csv.Error as error:
        raise refusal from error
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise refusal
    head = [cell.strip().lower() for cell in rows[0]]
    words = next((head.index(column) for column in _LABEL_COLUMNS if column in head), None)
    if words is None:
        return _parse_headless(rows, refusal)
    labels = [row[words] for row in rows[1:]]
    numbers = next((head.index(column) for column in _INDEX_COLUMNS if column in head), None)
    if numbers is None or not all(row[numbers].strip().isdecimal() for row in rows[1:]):
        return labels
    ordered = _sort_pairs([(int(row[numbers]), label) for row, label in zip(rows[1:], labels, strict=True)])
    if ordered is None:
        raise SpecInvalid(
            f"The numbers in {name} do not count from 0 without a gap, so the order of the labels is not clear.",
            remedy="Correct the numbers, or remove their column.",
        )
    return ordered


def _parse_headless(rows: Sequence[Sequence[str]], refusal: SpecInvalid) -> list[str]:
    """Return the labels of a table without names of columns: one column, or numbers from 0 and labels."""
    if len(rows[0]) == 1:
        return [row[0] for row in rows]
    if len(rows[0]) == 2 and all(row[0].strip().isdecimal() for row in rows):
        ordered = _sort_pairs([(int(row[0]), row[1]) for row in rows])
        if ordered is not None:
            return ordered
    raise refusal
