"""Turns what a database refuses into typed errors that say why and hold the SQL that helps."""

import re

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from understudy.errors import DatabaseDenied, DatabaseNotReady, RowRefused, UnderstudyError

_POLICY = (
    "As the owner of the table run: CREATE POLICY understudy ON ml_models TO {role} USING (true) WITH CHECK (true);"
)
_DENIALS = {
    r"permission denied for (?:table|view|relation) (\S+)": (
        "As the owner of the table run: GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {role};"
    ),
    r"permission denied for sequence (\S+)": (
        "As the owner of the sequence run: GRANT USAGE, SELECT ON SEQUENCE {name} TO {role};"
    ),
    r"permission denied for schema (\S+)": (
        "As the owner of the schema run: GRANT USAGE, CREATE ON SCHEMA {name} TO {role};"
    ),
    r"must be owner of (?:table|relation|view) (\S+)": "As its owner run: ALTER TABLE {name} OWNER TO {role};",
    r"row-level security policy": _POLICY,
    r"read-?only": "Connect to the primary server, or let the user that runs Understudy write to the database.",
}
# 42804: a value of another type; 428C9: a value for a generated column.
_FAULTS_OF_VALUES = {"42804", "428C9"}
_NOT_OURS = {"40", "53", "54", "55", "57", "58", "F0", "XX", "08", "0A"}


def translate_statement_error(error: DBAPIError, url: URL, address: str) -> UnderstudyError | None:
    """Return the typed error for a statement that the database refused, or None for any other failure."""
    state = getattr(error.orig, "sqlstate", None) or ""
    name = getattr(error.orig, "sqlite_errorname", "")
    reason = describe_reason(error)
    if state in {"42501", "25006"} or name.startswith("SQLITE_READONLY"):
        return DatabaseDenied(f"{address} refused: {reason}.", remedy=_find_remedy(reason, url.username))
    if state == "42P01" or "no such table" in reason:
        return DatabaseNotReady(
            f"The tables are missing in {address}: {reason}.", remedy="Create them: `understudy migrate`."
        )
    other_table = state.startswith("42") and state not in {"42601", *_FAULTS_OF_VALUES}
    if other_table or (name == "SQLITE_ERROR" and "no such column" in reason):
        return DatabaseNotReady(
            f"The tables in {address} are not those that Understudy made or adopted: {reason}.",
            remedy="Run `understudy doctor`, which lists the differences.",
        )
    refused = isinstance(error, IntegrityError | DataError) or "generated column" in reason
    if refused or (state and state[:2] not in _NOT_OURS and state != "42601"):
        return RowRefused(f"The database refused the row: {reason}.", remedy=_advise(error, state, reason))
    return None


def describe_reason(error: DBAPIError) -> str:
    """Return the driver's message in one line, with the details that PostgreSQL gives apart."""
    diagnosis = getattr(error.orig, "diag", None)
    first = str(error.orig).strip().partition("\n")[0].rstrip(".")
    parts = [first, getattr(diagnosis, "message_detail", None), getattr(diagnosis, "message_hint", None)]
    context = getattr(diagnosis, "context", None) or ""
    if found := re.match(r"PL/\w+ function (\S+)", context):
        parts.append(f"raised by the function {found[1]}")
    return "; ".join(str(part).strip().partition("\n")[0].rstrip(".") for part in parts if part)


def _find_remedy(reason: str, user: str | None) -> str | None:
    role = '"' + user.replace('"', '""') + '"' if user else "CURRENT_ROLE"
    for pattern, remedy in _DENIALS.items():
        if found := re.search(pattern, reason):
            return remedy.format(name=found[1].rstrip(";") if found.groups() else "", role=role)
    return None


def _advise(error: DBAPIError, state: str, reason: str) -> str | None:
    column = getattr(getattr(error.orig, "diag", None), "column_name", None)
    if state == "23502" or "NOT NULL constraint failed" in reason:
        column = column or reason.rpartition(".")[2]
        return (
            f"Give the row a value for {column}. If Understudy does not know that column, allow rows without one: "
            f'ALTER TABLE ml_models ALTER COLUMN "{column}" DROP NOT NULL;'
        )
    if state == "23503":
        return "Change or delete the rows of the other table that refer to this one, then try again."
    if "function" in reason or state == "P0001":
        return "A trigger of your database stops this change. Send what it accepts, or change the trigger."
    return None
