"""Every error has one status code, words that fit, and our own code."""

import inspect
import json

import grpc
import pytest

from understudy import errors
from understudy.api.v2_grpc.status_codes import CODE, PROBLEM, build_status, find_status_code
from understudy.errors import UnderstudyError

Status = grpc.StatusCode
ERRORS = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, UnderstudyError)]

# What the HTTP status of an error allows. The exceptions are named below.
BY_HTTP = {
    400: {Status.INVALID_ARGUMENT},
    401: {Status.UNAUTHENTICATED},
    403: {Status.PERMISSION_DENIED},
    404: {Status.NOT_FOUND},
    408: {Status.DEADLINE_EXCEEDED},
    409: {Status.FAILED_PRECONDITION},
    413: {Status.INVALID_ARGUMENT},
    415: {Status.INVALID_ARGUMENT},
    422: {Status.INVALID_ARGUMENT},
    429: {Status.RESOURCE_EXHAUSTED},
    431: {Status.INVALID_ARGUMENT},
    499: {Status.CANCELLED},
    500: {Status.INTERNAL},
    503: {Status.UNAVAILABLE},
}
EXCEPTIONS = {
    "body_too_large": Status.RESOURCE_EXHAUSTED,
    "overloaded": Status.RESOURCE_EXHAUSTED,
    "outcome_unknown": Status.UNKNOWN,
    "file_missing": Status.FAILED_PRECONDITION,
    "misconfigured": Status.FAILED_PRECONDITION,
    "table_refused": Status.FAILED_PRECONDITION,
    "unsafe_binding": Status.FAILED_PRECONDITION,
    **{
        each.code: Status.FAILED_PRECONDITION
        for each in ERRORS
        if issubclass(each, errors.CannotServe)  # the model is at fault, not the request
    },
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_the_status_code_that_fits(error: type[UnderstudyError]) -> None:
    found = find_status_code(error("It failed."))
    expected = EXCEPTIONS.get(error.code)
    assert found is expected if expected is not None else found in BY_HTTP[error.status]


def test_metadata_carry_the_code_the_problem_and_when_to_try_again() -> None:
    status, words, metadata = build_status(errors.LimitReached("Schluß.", remedy="Wait.", retry_after=3))
    assert (status, words) == (Status.RESOURCE_EXHAUSTED, "Schluß. Wait.")
    found = dict(metadata)
    assert (found[CODE], found["retry-after"]) == ("limit_reached", "3")
    problem = json.loads(found[PROBLEM])
    assert (problem["code"], problem["detail"], problem["remedy"]) == ("limit_reached", "Schluß.", "Wait.")
    assert dict(build_status(errors.NotSignedIn("Who?"))[2])["www-authenticate"] == "Bearer"


def test_words_that_no_client_takes_are_shortened() -> None:
    _, words, metadata = build_status(errors.RequestInvalid("ä" * 100_000 + "\ud800"))
    assert len(words.encode()) < 2000
    assert words.endswith("Correct the request and send it again.")
    assert "ä…" in json.loads(dict(metadata)[PROBLEM])["detail"]
