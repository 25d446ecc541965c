"""The errors that a worker may send."""

from understudy import errors
from understudy.schemas.server.problem import Problem

_ALLOWED: tuple[type[errors.UnderstudyError], ...] = (
    errors.AudioTooLong,
    errors.AudioUnusable,
    errors.BackboneMissing,
    errors.CannotServe,
    errors.NotAudio,
    errors.NotForAudio,
    errors.RequestInvalid,
    errors.RuntimeMissing,
    errors.SpecInvalid,
    errors.WarmUpFailed,
)
_BY_CODE = {kind.code: kind for kind in _ALLOWED}


def to_error(problem: Problem) -> errors.UnderstudyError:
    """Return the error that a worker describes; one that it may not send becomes UnderstudyError."""
    return _BY_CODE.get(problem.code, errors.UnderstudyError)(problem.detail, remedy=problem.remedy)
