"""Refuses an `ml_models` that cannot be used, before anything is written: kind, place, rights, hidden rows, columns."""

from collections.abc import Iterator

from sqlalchemy import Connection, text

from understudy.migrations.adoption import column_suitability, sqlite_suitability
from understudy.migrations.adoption.fault import Fault, refuse_faults
from understudy.migrations.adoption.relation import Relation, TargetSchema, list_other_schemas
from understudy.migrations.adoption.repairs.columns import refuse_missing_columns

_TABLE = "r"
_KINDS = {"p": "a partitioned table", "v": "a view", "m": "a materialized view", "f": "a foreign table"}
_ALTER = {"p": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW", "f": "FOREIGN TABLE"}
_NEW_TABLE = (
    "CREATE TABLE {schema}.ml_models (model_id SERIAL PRIMARY KEY, model_name VARCHAR(255) NOT NULL UNIQUE,"
    " file_path VARCHAR(500) NOT NULL);"
)
_READING = {"SELECT"}
_WRITING = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def refuse_unreadable(connection: Connection) -> None:
    """Raises TableRefused when our role may not read `ml_models`, or would not see all of its rows."""
    if connection.dialect.name == "postgresql" and (relation := Relation.find(connection)) is not None:
        refuse_faults([*_check_rights(relation, _READING), *_check_hidden_rows(relation)])


def refuse_unwritable(connection: Connection) -> None:
    """Raises TableRefused when our role may not change the rows of `ml_models`, or would not see all of them."""
    if connection.dialect.name == "postgresql" and (relation := Relation.find(connection)) is not None:
        refuse_faults([*_check_rights(relation, _WRITING), *_check_hidden_rows(relation)])


def refuse_unusable(connection: Connection) -> None:
    """Raises TableRefused, with all the reasons at once, when `ml_models` cannot be adopted or made."""
    if connection.dialect.name != "postgresql":
        refuse_faults(list(sqlite_suitability.check_kind(connection)))
        refuse_missing_columns(connection)
        refuse_faults(list(sqlite_suitability.check_columns(connection)))
        return
    relation = Relation.find(connection)
    if relation is None:
        refuse_faults(list(_check_new_table(connection)))
        return
    refuse_faults(list(_check_kind(connection, relation)))
    refuse_missing_columns(connection)
    refuse_faults(
        [
            *_check_rights(relation, _WRITING),
            *_check_hidden_rows(relation),
            *column_suitability.check(connection, fills_rows=relation.fills_rows),
        ]
    )


def _check_new_table(connection: Connection) -> Iterator[Fault]:
    """Find what speaks against making a new table: one in another schema, or a missing right."""
    target = TargetSchema.read(connection)
    others = list_other_schemas(connection)
    schema = target.name or "public"
    if others:
        yield Fault(
            f"it lies in the schema {', '.join(others)}, and the search path of this role ({target.path}) does not"
            " lead there, so that a second, empty table would be made",
            f"ALTER ROLE {target.role} SET search_path = {others[0]}, {schema}; To get a new table instead:"
            f" {_NEW_TABLE.format(schema=schema)}",
        )
    elif not target.may_create:
        missing = "no schema of its search path exists" if target.name is None else f"it may not create in {schema}"
        yield Fault(
            f"there is none yet, and the role {target.role} cannot make it: {missing}",
            f"CREATE SCHEMA IF NOT EXISTS {schema}; GRANT USAGE, CREATE ON SCHEMA {schema} TO {target.role};",
        )


def _check_kind(connection: Connection, relation: Relation) -> Iterator[Fault]:
    if relation.kind in _KINDS:
        name = f"{relation.schema}.ml_models"
        columns = connection.execute(text("SELECT * FROM ml_models LIMIT 0")).keys()
        documented = [each for each in columns if each in column_suitability.DOCUMENTED]
        listed = ", ".join(documented)
        steps = (
            f"ALTER {_ALTER[relation.kind]} {name} RENAME TO ml_models_old;",
            _NEW_TABLE.format(schema=relation.schema),
            "Then run `understudy migrate`, and copy the rows:",
            f"INSERT INTO {name} ({listed}) SELECT {listed} FROM {relation.schema}.ml_models_old;",  # noqa: S608
        )
        detail = f"it is {_KINDS[relation.kind]}, on which no unique index can keep one row active"
        yield Fault(detail, " ".join(steps))
    elif relation.has_children:
        yield Fault(
            "other tables inherit from it, and no unique index covers their rows",
            "ALTER TABLE CHILD NO INHERIT ml_models; (for each of these tables)",
        )
    elif relation.rules:
        yield Fault(
            f"its rules {', '.join(relation.rules)} do something else in place of a change of its rows",
            " ".join(f"DROP RULE {rule} ON {relation.schema}.ml_models;" for rule in relation.rules),
        )


def _check_rights(relation: Relation, wanted: set[str]) -> Iterator[Fault]:
    if missing := [each for each in relation.missing if each in wanted]:
        yield Fault(
            f"the role {relation.role} may not {', '.join(missing)}",
            f"GRANT {', '.join(missing)} ON {relation.schema}.ml_models TO {relation.role};",
        )


def _check_hidden_rows(relation: Relation) -> Iterator[Fault]:
    if relation.hides_rows:
        yield Fault(
            f"its row level security may hide rows from the role {relation.role}",
            f"CREATE POLICY understudy ON {relation.schema}.ml_models TO {relation.role}"
            " USING (true) WITH CHECK (true);",
        )
