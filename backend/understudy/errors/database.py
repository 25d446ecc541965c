"""Defines the errors of the database and of its table `ml_models`."""

from understudy.errors.base import Misconfigured, Unavailable


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database does not answer"
    default_remedy = "Check DATABASE_URL and that the database runs. Predictions continue with the model in memory."


class DatabaseBusy(DatabaseUnavailable):
    code = "database_busy"
    title = "The database is in use"
    default_remedy = "Send the request again. If it stays so, find the process that holds a lock of the database."


class DatabaseReplaced(DatabaseUnavailable):
    """The file of an SQLite database is not the one that this process opened, or its log belongs to another file."""

    code = "database_replaced"
    title = "The database file was replaced"
    default_remedy = "Stop the server, put the right file in place, and start the server again."


class OutcomeUnknown(DatabaseUnavailable):
    """The answer to a commit was lost."""

    code = "outcome_unknown"
    title = "The change may have been done"
    default_remedy = "Read the present state, or send the same request again: a change that was done is not done twice."


class DatabaseDenied(DatabaseUnavailable):
    code = "database_denied"
    title = "The database does not allow this"
    default_remedy = "Give the role of DATABASE_URL the rights that it lacks; docs/databases.md lists them."


class DatabaseNotReady(DatabaseUnavailable):
    """The database answers, but its tables are not those of this version. A command that reads does not change them."""

    code = "database_not_ready"
    title = "The database is not migrated"
    default_remedy = "Run `understudy migrate`; `understudy serve` does it as well."


class DatabaseMissing(DatabaseNotReady):
    code = "database_missing"
    title = "There is no database"
    default_remedy = (
        "Name the folder of your installation with --home (UNDERSTUDY_HOME) or the database with DATABASE_URL. "
        "To begin here, run `understudy demo` or `understudy serve`."
    )


class TableRefused(Misconfigured):
    """The table `ml_models` cannot be used as it is. Nothing was changed; the remedy holds the SQL that helps."""

    status = 503
    code = "table_refused"
    title = "The table ml_models cannot be used"
    default_remedy = "Change the table as docs/databases.md shows, then try again."


class SeveralActive(Misconfigured):
    """Several rows of `ml_models` are active. Only a person can say which of them should be live."""

    status = 409
    code = "several_active"
    title = "Several models are active"
    default_remedy = "Choose one: `understudy doctor --fix --keep-active MODEL_ID`."
