"""Reads which column of the foreign table becomes which column of `ml_models`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from understudy.errors import RequestInvalid

REQUIRED = ("model_name", "file_path")
TARGETS = (
    "model_id",
    "model_name",
    "version",
    "file_path",
    "description",
    "model_type",
    "accuracy",
    "created_at",
    "updated_at",
    "is_active",
    "created_by_user_id",
)
_EXAMPLE = "--map model_id=id,model_name=name,file_path=storage_path,description=framework"


@dataclass(frozen=True)
class ColumnMap:
    """The source columns of each target column; only `description` may have several."""

    columns: dict[str, tuple[str, ...]]

    def get(self, target: str) -> str | None:
        """Return the source column of `target`, or None."""
        found = self.columns.get(target, ())
        return found[0] if found else None

    @property
    def sources(self) -> set[str]:
        """The source columns that have a place."""
        return {name for names in self.columns.values() for name in names}


def parse_map(given: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Parse `TARGET=COLUMN,TARGET=COLUMN`; an empty COLUMN leaves the target empty.

    Raises RequestInvalid for another form, an unknown target, and a target that is given twice.
    """
    columns: dict[str, tuple[str, ...]] = {}
    for pair in (pair.strip() for text in given for pair in text.split(",")):
        target, equals, source = (part.strip() for part in pair.partition("="))
        if not equals:
            raise RequestInvalid(f"--map: {pair!r} is not TARGET=COLUMN.", remedy=f"Write for example {_EXAMPLE}.")
        if target not in TARGETS:
            raise RequestInvalid(f"--map: ml_models has no column {target!r}.", remedy=f"Use {', '.join(TARGETS)}.")
        if target in columns and target != "description":
            raise RequestInvalid(
                f"--map: {target} is given twice.", remedy="Only description can be made of several columns."
            )
        columns[target] = columns.get(target, ()) + ((source,) if source else ())
    return columns


def complete_map(given: dict[str, tuple[str, ...]], available: Sequence[str]) -> ColumnMap:
    """Check `given` against the columns of the source, and map the columns of the documented names to themselves.

    Raises RequestInvalid for an unknown source column, and when `model_name` or `file_path` has no source.
    """
    there = f"The table has {', '.join(available)}."
    for target, sources in given.items():
        for source in sources:
            if source not in available:
                raise RequestInvalid(f"--map {target}={source}: there is no column {source!r}.", remedy=there)
    taken = {name for names in given.values() for name in names}
    own = {name: (name,) for name in TARGETS if name in available and name not in given and name not in taken}
    columns = {name: sources for name, sources in (given | own).items() if sources}
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise RequestInvalid(
            f"No column is mapped to {' and '.join(missing)}.", remedy=f"{there} Write for example {_EXAMPLE}."
        )
    return ColumnMap({name: columns[name] for name in TARGETS if name in columns})
