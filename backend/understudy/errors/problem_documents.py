"""Turns a problem document (RFC 9457) back into the error class that it describes."""

from collections.abc import Iterator, Mapping

from understudy.errors import NotFound, Refused, Unavailable, UnderstudyError


def error_from_problem(problem: Mapping[str, object]) -> UnderstudyError:
    """Return the error that `problem` describes: by its `code`, or by its `status` where the code is unknown."""
    remedy = problem.get("remedy")
    return _find_class(problem.get("code"), problem.get("status"))(
        str(problem.get("detail", "The server gave no reason.")), remedy=str(remedy) if remedy else None
    )


def _find_class(code: object, status: object) -> type[UnderstudyError]:
    for known in _walk_tree(UnderstudyError):
        if known.code == code:
            return known
    if status == NotFound.status:
        return NotFound
    if isinstance(status, int) and status < UnderstudyError.status:
        return Refused
    return Unavailable if status == Unavailable.status else UnderstudyError


def _walk_tree(root: type[UnderstudyError]) -> Iterator[type[UnderstudyError]]:
    yield root
    for branch in root.__subclasses__():
        yield from _walk_tree(branch)
