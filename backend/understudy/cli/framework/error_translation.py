"""Errors on their way through the command line: problem documents back to classes, pydantic's faults to sentences."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from understudy.errors import NotFound, Refused, RequestInvalid, Unavailable, UnderstudyError

M = TypeVar("M", bound=BaseModel)


def _tree(root: type[UnderstudyError]) -> Iterator[type[UnderstudyError]]:
    yield root
    for branch in root.__subclasses__():
        yield from _tree(branch)


def _class_of(code: object, status: object) -> type[UnderstudyError]:
    for known in _tree(UnderstudyError):
        if known.code == code:
            return known
    if status == NotFound.status:
        return NotFound
    if isinstance(status, int) and status < UnderstudyError.status:
        return Refused
    return Unavailable if status == Unavailable.status else UnderstudyError


def error_from(problem: Mapping[str, object]) -> UnderstudyError:
    """The error that a problem document describes, so that it exits and prints like one raised here."""
    remedy = problem.get("remedy")
    return _class_of(problem.get("code"), problem.get("status"))(
        str(problem.get("detail", "The server gave no reason.")), remedy=str(remedy) if remedy else None
    )


def invalid(error: ValidationError) -> str:
    """Each fault of `error` with the field that it is about."""
    faults = ((".".join(str(part) for part in fault["loc"]), fault["msg"]) for fault in error.errors())
    return "; ".join(f"{where}: {what}" if where else what for where, what in faults)


def checked(kind: type[M], fields: Mapping[str, object]) -> M:
    """A request built from options. Raises RequestInvalid."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise RequestInvalid(f"{invalid(error)}.", remedy="Correct the option and run the command again.") from error
