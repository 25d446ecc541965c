"""Ensures at most one active row. Only a person can say which of several should be live."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Boolean, Connection, Integer, RowMapping, column, select, table, text, true, update

from understudy.errors import RequestInvalid, SeveralActive
from understudy.history_chain import format_state
from understudy.migrations.adoption.column_suitability import DOCUMENTED
from understudy.migrations.adoption.repairs.columns import read_types
from understudy.migrations.adoption.table_finding import TABLE, Repair, TableFinding
from understudy.migrations.history_seal import append_early

_Row = RowMapping

_MODELS = table(TABLE, column("model_id", Integer), column("is_active", Boolean))
_SHOWN_ROWS = 10
_SHOWN_CHARACTERS = 40


def ensure_one_active_row(connection: Connection, repair: Repair | None) -> Iterator[TableFinding]:
    """Ensure at most one active row: of several, the one that `repair` names.

    Raises SeveralActive when it names none, and RequestInvalid when the row that it names is not active.
    """
    active = _read_active_rows(connection)
    kept = None if repair is None else repair.keep_active
    if kept is not None and kept not in {row["model_id"] for row in active}:
        listed = ", ".join(str(row["model_id"]) for row in active) or "none"
        raise RequestInvalid(
            f"Model {kept} is not active, so that it cannot stay active. Active: {listed}.",
            remedy="Name one of the active models, or activate a model: `understudy activate MODEL_ID`.",
        )
    if len(active) < 2:
        return
    if repair is None:
        yield TableFinding.from_refusal(_describe(active))
        return
    if kept is None:
        raise _describe(active)
    _deactivate_others(connection, active, kept)
    others = ", ".join(str(row["model_id"]) for row in active if row["model_id"] != kept)
    detail = f"{len(active)} models were active at once. Model {kept} stays active, as asked; deactivated: {others}."
    yield TableFinding.from_repair("several_active", detail, repaired=True)


def refuse_several_active(connection: Connection) -> None:
    """Raises SeveralActive when more than one row is active."""
    if not {"model_id", "is_active"} <= read_types(connection).keys():
        return
    active = _read_active_rows(connection)
    if len(active) > 1:
        raise _describe(active)


def build_several_active(connection: Connection) -> SeveralActive:
    """Return the error that names the active rows, of which there are several."""
    return _describe(_read_active_rows(connection))


def _read_active_rows(connection: Connection) -> Sequence[_Row]:
    """Return the active rows with all of their columns, in the order of their ids."""
    query = select(text("*")).select_from(_MODELS).where(_MODELS.c.is_active == true()).order_by(_MODELS.c.model_id)
    return connection.execute(query).mappings().all()


def _describe(active: Sequence[_Row]) -> SeveralActive:
    """Return the error: each row with its own columns that differ, and what such a table looks like."""
    columns = [str(name) for name in active[0]] if active else []  # the marks may be gone since they were counted
    extra = [name for name in columns if name not in DOCUMENTED and len({str(row[name]) for row in active}) > 1]
    listed = [_describe_row(row, extra) for row in active[:_SHOWN_ROWS]]
    if len(active) > _SHOWN_ROWS:
        listed.append(f"and {len(active) - _SHOWN_ROWS} more")
    detail = f"{len(active)} rows of ml_models are active, and Understudy serves one model: {'; '.join(listed)}."
    apart = [name for name in extra if len({str(row[name]) for row in active}) == len(active)]
    if apart:
        owner = next((name for name in apart if name.endswith("_id")), apart[0])
        detail += (
            f" They differ in {owner}: this looks like one active model for each {owner}, which Understudy does not do."
        )
    remedy = (
        "Choose the one that stays active: `understudy doctor --fix --keep-active MODEL_ID`. Or by SQL: "
        "UPDATE ml_models SET is_active = FALSE WHERE model_id <> MODEL_ID AND is_active;"
    )
    if apart:
        remedy += " To serve several at once, give each an Understudy with a database of its own."
    return SeveralActive(f"{detail} Nothing was changed.", remedy=remedy)


def _describe_row(row: _Row, extra: Sequence[str]) -> str:
    facts = [
        f"version {row['version']}" if row.get("version") is not None else "no version",
        f"updated {row['updated_at']}" if row.get("updated_at") is not None else "no updated_at",
        *(f"{name} {str(row[name])[:_SHOWN_CHARACTERS]}" for name in extra),
    ]
    return f"model {row['model_id']} ({row.get('model_name')}, {', '.join(facts)})"


def _deactivate_others(connection: Connection, active: Sequence[_Row], kept: int) -> None:
    """Deactivate every row of `active` but `kept`, and write all of them to the history."""
    connection.execute(
        update(_MODELS).where(_MODELS.c.is_active == true(), _MODELS.c.model_id != kept).values(is_active=False)
    )
    append_early(
        connection,
        [
            {
                "event": "repaired",
                "model_id": row["model_id"],
                "model_name": str(row["model_name"])[:255],
                "version": None if row["version"] is None else str(row["version"])[:50],
                "actor": "cli",
                "before_json": format_state({"is_active": True}),
                "after_json": format_state({"is_active": row["model_id"] == kept}),
                "detail": f"{len(active)} models were active at once; a person chose that model {kept} stays.",
            }
            for row in active
        ],
    )
