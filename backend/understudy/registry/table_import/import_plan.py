"""Decides for each row of the foreign table whether it is copied, and as what."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from understudy.errors import NameRefused, UnderstudyError
from understudy.models.naming import refuse_name, refuse_version
from understudy.registry.database.column_values import to_columns
from understudy.registry.table_import.names import Named, choose_names
from understudy.registry.table_import.source_table import SourceRow, SourceTable
from understudy.registry.table_import.values import (
    Unfit,
    convert,
    is_rounded,
    is_true,
    shorten,
    to_integer,
    to_text,
)
from understudy.schemas.registry.model import ModelCreate

_REGISTERED = ("model_name", "file_path", "version", "description", "model_type", "accuracy")
_COPIED = ("created_at", "updated_at", "created_by_user_id")


class RowFate(StrEnum):
    """The decision about a row: it is copied, was imported before, or does not fit."""

    COPY = "copy"
    IMPORTED = "imported"
    UNFIT = "unfit"


@dataclass(frozen=True)
class PlannedRow:
    """A row of the source. `model_id` is None where the database will choose it, and for a row that does not fit."""

    source_key: str
    fate: RowFate
    model_id: int | None
    source_name: str | None
    model_name: str | None
    file_path: str | None
    was_active: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: dict[str, Any] = field(default_factory=dict, repr=False)
    key: str | None = None

    def to_document(self) -> dict[str, object]:
        """Return what a person needs to judge the row, as plain JSON values."""
        document = asdict(self)
        del document["columns"], document["key"]
        return document | {"fate": self.fate.value, "reasons": list(self.reasons), "notes": list(self.notes)}


@dataclass(frozen=True)
class ImportPlan:
    """Every row of the source, and the columns that have no place, with their number of values."""

    source: str
    columns: dict[str, tuple[str, ...]]
    columns_without_place: dict[str, int]
    rows: tuple[PlannedRow, ...]
    applied: bool = False

    def list_rows(self, fate: RowFate) -> list[PlannedRow]:
        """Return the rows of that fate."""
        return [row for row in self.rows if row.fate is fate]

    def to_document(self) -> dict[str, object]:
        """Return the plan as plain JSON values."""
        return {
            "source": self.source,
            "applied": self.applied,
            "columns": {target: list(names) for target, names in self.columns.items()},
            "columns_without_place": self.columns_without_place,
            "rows": [row.to_document() for row in self.rows],
        }


@dataclass(frozen=True)
class Present:
    """The names and source rows that the registry holds already.

    `imported` gives the model of each key that was imported, `used_ids` the ids that models have had. `may_choose_ids`
    is False where only the database can give ids.
    """

    names: Collection[str] = ()
    ids: Collection[int] = ()
    used_ids: Collection[int] = ()
    imported: Mapping[str, int] = field(default_factory=dict)
    may_choose_ids: bool = True


CheckFile = Callable[[str], str]


def build_plan(
    source: SourceTable, rows: Sequence[SourceRow], present: Present, check_file: CheckFile, zone: tzinfo = UTC
) -> ImportPlan:
    """Return the plan. `check_file` returns the path as it is stored, and raises why the file cannot be registered."""
    repeated = _find_repeated(row.key for row in rows)
    planned = [_judge(source, row, present, check_file, zone, repeated) for row in rows]
    planned = _name(planned, present)
    planned = _number(source, rows, planned, present)
    without_place = [
        name for name in source.columns if name not in source.columns_map.sources | set(source.key_columns)
    ]
    return ImportPlan(
        source=source.name,
        columns=source.columns_map.columns,
        columns_without_place={name: sum(row.values[name] is not None for row in rows) for name in without_place},
        rows=tuple(planned),
    )


def _find_repeated(keys: Iterable[str | None]) -> set[str]:
    seen: set[str] = set()
    return {key for key in keys if key is not None and (key in seen or seen.add(key))}  # type: ignore[func-returns-value]


def _judge(
    source: SourceTable,
    row: SourceRow,
    present: Present,
    check_file: CheckFile,
    zone: tzinfo,
    repeated: Collection[str],
) -> PlannedRow:
    """Return the row with its values, before it has a unique name and an id."""
    converted, reasons = convert(row, source.columns_map, zone)
    active = source.columns_map.get("is_active")
    name = converted.get("model_name")
    planned = PlannedRow(
        source_key=row.label,
        fate=RowFate.COPY,
        model_id=None,
        source_name=name,
        model_name=name,
        file_path=converted.get("file_path"),
        was_active=active is not None and is_true(row.values[active]),
        key=row.key,
    )
    if row.key is not None and row.key in present.imported:
        model_id = present.imported[row.key]
        gone = "" if model_id in present.ids else " It was deleted since, and does not come back."
        note = f"It was imported before as model {model_id}.{gone}"
        return replace(planned, fate=RowFate.IMPORTED, model_id=model_id, notes=(note,))
    if row.key is None:
        reasons.append(f"{', '.join(source.key_columns)}: the row has no key.")
    elif row.key in repeated:
        reasons.append(f"{', '.join(source.key_columns)}: several rows have this key.")
    columns, more = _validate(converted, source, check_file)
    reasons += more
    if reasons:
        return replace(planned, fate=RowFate.UNFIT, reasons=tuple(reasons))
    notes = []
    if is_rounded(converted.get("accuracy")):
        notes.append(f"accuracy {converted['accuracy']} is stored as {columns['accuracy']}.")
    return replace(planned, columns=columns, file_path=columns["file_path"], notes=tuple(notes))


def _validate(
    converted: dict[str, Any], source: SourceTable, check_file: CheckFile
) -> tuple[dict[str, Any], list[str]]:
    """Return the columns as a registration would store them, and why it would refuse them."""
    given = {name: converted[name] for name in _REGISTERED if name in converted}
    # A CHAR column pads its values with spaces.
    given |= {name: given[name].strip() for name in ("model_name", "version") if given.get(name)}
    reasons: list[str] = []
    for name in ("model_name", "file_path"):
        if name in given and not (given[name] or "").strip():
            reasons.append(f"{_name_sources(source, name)}: it is empty.")
            del given[name]
    try:
        columns = to_columns(ModelCreate.model_validate({"model_name": "-", "file_path": "-"} | given))
    except ValidationError as error:
        reasons += [_describe(each, source) for each in error.errors()]
        columns = {}
    except UnderstudyError as error:
        reasons.append(error.detail)
        columns = {}
    for name, refuse in (("model_name", refuse_name), ("version", refuse_version)):
        try:
            refuse(given.get(name))
        except UnderstudyError as error:
            reasons.append(f"{_name_sources(source, name)}: {error.detail}")
    if given.get("file_path"):
        try:
            columns["file_path"] = check_file(given["file_path"])
        except UnderstudyError as error:
            reasons.append(f"{_name_sources(source, 'file_path')}: {error.detail}")
    return columns | {name: converted[name] for name in _COPIED if name in converted}, reasons


def _name_sources(source: SourceTable, target: str) -> str:
    return ", ".join(source.columns_map.columns.get(target, (target,)))


def _describe(fault: Any, source: SourceTable) -> str:
    target = str(fault["loc"][0]) if fault["loc"] else "row"
    value = fault["input"]
    length = f" ({len(value)} characters)" if isinstance(value, str) and "character" in fault["msg"] else ""
    return f"{_name_sources(source, target)}: {shorten(value)}: {fault['msg']}{length}."


def _name(planned: list[PlannedRow], present: Present) -> list[PlannedRow]:
    """Give the rows that are copied unique names. A name that becomes too long makes its row unfit."""
    named = [
        Named(
            name=row.columns.get("model_name", row.source_name or ""),
            version=row.columns.get("version"),
            label=row.source_key,
            waits=row.fate is RowFate.COPY,
        )
        for row in planned
    ]
    chosen = choose_names(named, present.names)
    return [row if name is None else _rename(row, name) for row, name in zip(planned, chosen, strict=True)]


def _rename(row: PlannedRow, name: str) -> PlannedRow:
    if name == row.columns["model_name"]:
        return replace(row, model_name=name)
    try:
        refuse_name(ModelCreate(model_name=name, file_path="-").model_name)
    except (ValidationError, NameRefused) as error:
        why = f"{error.errors()[0]['msg']}." if isinstance(error, ValidationError) else error.detail
        reason = f"It would be called {shorten(name)} to be unique: {why}"
        return replace(row, fate=RowFate.UNFIT, reasons=(*row.reasons, reason))
    note = f"{row.source_name!r} is not unique; the model is called {name!r}."
    return replace(row, model_name=name, notes=(*row.notes, note), columns=row.columns | {"model_name": name})


def _number(
    source: SourceTable, rows: Sequence[SourceRow], planned: list[PlannedRow], present: Present
) -> list[PlannedRow]:
    """Keep the ids of the source that no model has had; the other rows get the next free ones."""
    if not present.may_choose_ids:
        note = "The database gives the model_id."
        return [replace(row, notes=(*row.notes, note)) if row.fate is RowFate.COPY else row for row in planned]
    column = source.columns_map.get("model_id")
    used = set(present.used_ids) | set(present.ids)
    wanted = [_read_id(row.values[column]) if column is not None else None for row in rows]
    kept: dict[int, int] = {}
    for index, (row, model_id) in enumerate(zip(planned, wanted, strict=True)):
        if row.fate is RowFate.COPY and model_id is not None and model_id not in used:
            kept[index] = model_id
            used.add(model_id)
    following = max(used, default=0)
    numbered: list[PlannedRow] = []
    for index, row in enumerate(planned):
        if row.fate is not RowFate.COPY:
            numbered.append(row)
        elif index in kept:
            numbered.append(replace(row, model_id=kept[index]))
        else:
            following += 1
            notes = list(row.notes)
            if column is not None:
                notes.append(f"{column} {to_text(rows[index].values[column])} becomes {following}.")
            numbered.append(replace(row, model_id=following, notes=tuple(notes)))
    return numbered


def _read_id(value: Any) -> int | None:
    try:
        number = to_integer(value)
    except Unfit:
        return None
    return number if number is not None and number > 0 else None
