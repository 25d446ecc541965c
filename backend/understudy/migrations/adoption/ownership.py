"""Decides on PostgreSQL whether our role may adopt a table, and in which schema Understudy's own tables are made."""

from sqlalchemy import Connection, text

from understudy.migrations.adoption.adoption import list_changes
from understudy.migrations.adoption.fault import Fault, refuse_faults
from understudy.migrations.adoption.relation import Relation

# An identity column takes its ids without this right.
_DENIED_SEQUENCE = text("""
    SELECT name FROM pg_get_serial_sequence('ml_models', 'model_id') AS name
    WHERE name IS NOT NULL AND NOT has_sequence_privilege(name, 'USAGE')
        AND NOT EXISTS (
            SELECT 1 FROM pg_attribute
            WHERE attrelid = to_regclass('ml_models') AND attname = 'model_id' AND attidentity <> ''
        )
""")


def refuse_foreign_owner(connection: Connection) -> None:
    """Raises TableRefused when our role lacks rights that the adoption of `ml_models` needs.

    A role that does not own the table can adopt it where the owner made the columns, keys and indexes and granted the
    rest.
    """
    if connection.dialect.name != "postgresql" or (relation := Relation.find(connection)) is None:
        return
    faults = []
    name = f"{relation.schema}.ml_models"
    if not relation.may_create:
        faults.append(
            Fault(
                f"the role {relation.role} may not create tables in the schema {relation.schema}",
                f"GRANT USAGE, CREATE ON SCHEMA {relation.schema} TO {relation.role};",
            )
        )
    if not relation.owned:
        if missing := [each for each in relation.missing if each in {"REFERENCES", "TRIGGER"}]:
            granted = ", ".join(missing)
            faults.append(
                Fault(f"the role {relation.role} lacks {granted}", f"GRANT {granted} ON {name} TO {relation.role};")
            )
        sequence = connection.execute(_DENIED_SEQUENCE).scalar_one_or_none()
        if sequence is not None:
            faults.append(
                Fault(
                    f"the role {relation.role} may not take ids from the sequence {sequence}",
                    f"GRANT USAGE, SELECT ON SEQUENCE {sequence} TO {relation.role};",
                )
            )
        if changes := list_changes(connection):
            faults.append(
                Fault(
                    f"it belongs to {relation.owner}, and the role {relation.role} may not add what is missing",
                    f"{' '.join(changes)} Or hand the table over: ALTER TABLE {name} OWNER TO {relation.role};",
                )
            )
    refuse_faults(faults)


def prefer_schema_of_table(connection: Connection) -> None:
    """Let this transaction make Understudy's tables in the schema of `ml_models`, wherever the search path finds it."""
    if connection.dialect.name != "postgresql" or (relation := Relation.find(connection)) is None:
        return
    if relation.schema != relation.current_schema:
        path = connection.execute(text("SHOW search_path")).scalar_one()
        connection.execute(
            text("SELECT set_config('search_path', :path, TRUE)"), {"path": f"{relation.schema}, {path}"}
        )
