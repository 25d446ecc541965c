"""Turns what a database refuses into typed errors that say why and hold the SQL that helps."""

import re

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from understudy.errors import (
    DatabaseBusy,
    DatabaseDenied,
    DatabaseNotReady,
    DatabaseUnavailable,
    RowRefused,
    UnderstudyError,
)

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
    r"read-?only": (
        "Connect to the primary server, or let the user that runs Understudy write to the database. A hosted database "
        "whose disk is full may be read-only too: free space there, or give it a larger disk."
    ),
}
# 42804: a value of another type; 428C9: a value for a generated column.
_FAULTS_OF_VALUES = {"42804", "428C9"}
# Classes of SQLSTATE that say what is wrong with a row: cardinality, data, constraints, triggers, WITH CHECK OPTION.
_ROW_CLASSES = {"21", "22", "23", "27", "44", "P0"}
# What SQLite and PostgreSQL answer when another transaction holds a lock, or undid this one.
_BUSY_STATES = {"55P03", "57014", "40001", "40P01"}
_BUSY_NAMES = ("SQLITE_BUSY", "SQLITE_LOCKED")
_FULL_STATES = {"53100", "53200"}
_FULL_NAMES = ("SQLITE_FULL",)
_DAMAGE_STATES = {"XX001", "XX002", "58P01", "58030"}
_DAMAGE_NAMES = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")
# 42601: a fault in a statement of Understudy.
_OUR_FAULT = "42601"


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
    other_table = state.startswith("42") and state not in {_OUR_FAULT, *_FAULTS_OF_VALUES}
    if other_table or (name == "SQLITE_ERROR" and "no such column" in reason):
        return DatabaseNotReady(
            f"The tables in {address} are not those that Understudy made or adopted: {reason}.",
            remedy="Run `understudy doctor`, which lists the differences.",
        )
    refused = isinstance(error, IntegrityError | DataError) or "generated column" in reason
    if refused or state in _FAULTS_OF_VALUES or state[:2] in _ROW_CLASSES:
        return RowRefused(f"The database refused the row: {reason}.", remedy=_advise(error, state, reason))
    return None


def translate_failure(error: DBAPIError, address: str) -> DatabaseUnavailable | None:
    """Return the typed error for a failure of the database itself; None for a fault in a statement of Understudy."""
    state = getattr(error.orig, "sqlstate", None) or ""
    name = getattr(error.orig, "sqlite_errorname", "")
    reason = describe_reason(error)
    if state in _BUSY_STATES or name.startswith(_BUSY_NAMES):
        return DatabaseBusy(f"{address} is in use by another transaction: {reason}. Nothing was changed.")
    if state in _FULL_STATES or name.startswith(_FULL_NAMES):
        return DatabaseUnavailable(
            f"{address} has no space left: {reason}. Nothing was changed.",
            remedy="Free space on the disk of the database, or give it more, then send the request again.",
        )
    if state in _DAMAGE_STATES or name.startswith(_DAMAGE_NAMES):
        return DatabaseUnavailable(
            f"{address} is damaged, or its disk fails: {reason}.",
            remedy="Check the disk. Replace a damaged database by a backup, or move the file away to begin with an "
            "empty registry.",
        )
    if state == _OUR_FAULT or (name == "SQLITE_ERROR" and "syntax error" in reason):
        return None
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable(f"{address} does not answer: {reason}.")
    if state or name:
        return DatabaseUnavailable(f"{address} failed: {reason}.")
    return None


def is_outcome_unknown(error: DBAPIError) -> bool:
    """True for an error of a commit after which the change may have been done: its answer was lost."""
    return error.connection_invalidated or getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_IOERR")


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
