"""The exit codes, one for each kind of HTTP status. docs/cli.md shows this table."""

from understudy.errors import UnderstudyError

INTERNAL = 1
NOT_FOUND = 3
BEHIND = 8
INTERRUPTED = 130

EXITS: dict[int, str] = {
    0: "done",
    1: "an error of Understudy or of its configuration (status 500); `doctor`: findings are open",
    2: "the command line itself is wrong",
    NOT_FOUND: "not found (status 404); `spec find`: no spec gives the examples' answers",
    4: "conflict with the present state (status 409)",
    5: "refused: the input is too large, not audio, not a servable model, or not valid (status 413, 415, 422)",
    6: "unavailable: no active model, no backbone, no database, no server (status 429, 502, 503)",
    7: "not signed in, or not allowed by the role (status 401, 403)",
    BEHIND: "the model is live, and not every server serves it yet (`--wait-all`)",
    INTERRUPTED: "interrupted",
}

_BY_STATUS = {401: 7, 403: 7, 404: NOT_FOUND, 409: 4, 413: 5, 415: 5, 422: 5, 429: 6, 502: 6, 503: 6}


def choose_exit_code(error: UnderstudyError) -> int:
    return _BY_STATUS.get(error.status, INTERNAL)
