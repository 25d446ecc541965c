"""The names of Understudy's own tables, and of the records in them that concern the user's tables."""

from sqlalchemy import Connection, column, exists, inspect, select, table

from understudy.migrations.adoption.table_finding import TABLE
from understudy.migrations.revision import VERSION_TABLE

# A table that refers to another one comes before it.
OWN_TABLES = (
    "understudy_files",
    "understudy_imports",
    "understudy_created",
    "understudy_counts",
    "understudy_operations",
    "understudy_predictions",
    "understudy_replicas",
    "understudy_history",
    "understudy_history_head",
    "understudy_examples",
    "understudy_proofs",
    "understudy_stage",
    "understudy_policies",
    "understudy_requests",
    "understudy_keys",
    "understudy_sessions",
    "understudy_principals",
    "understudy_access",
    VERSION_TABLE,
)

_CREATED = table("understudy_created", column("table_name"))


def has_created_ml_models(connection: Connection) -> bool:
    """True when the records say that a migration made `ml_models`; versions before revision 0004 recorded nothing."""
    if not inspect(connection).has_table(_CREATED.name):
        return False
    return bool(connection.execute(select(exists().where(_CREATED.c.table_name == TABLE))).scalar_one())
