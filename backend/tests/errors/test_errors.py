"""Tests the contract of the error classes: their tree, codes, texts and JSON."""

import re
from collections.abc import Iterator

import pytest

from understudy import errors
from understudy.errors import ModelNotFound, UnderstudyError


def _walk_tree(root: type[UnderstudyError]) -> Iterator[type[UnderstudyError]]:
    yield root
    for branch in root.__subclasses__():
        if branch.__module__.startswith("understudy."):
            yield from _walk_tree(branch)


CLASSES = list(_walk_tree(UnderstudyError))


def test_every_error_is_imported_from_the_package_itself() -> None:
    assert {error.__name__ for error in CLASSES} | {"FIND_SPEC"} == set(errors.__all__)
    assert all(getattr(errors, error.__name__) is error for error in CLASSES)


def test_the_drawing_shows_exactly_the_classes_with_status_and_code() -> None:
    drawn: dict[str, tuple[int, str | None, int]] = {}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│├└─ ]*)(\w+) +(\d{3})(?: (\w+))?$", line)
        if match:
            drawn[match[2]] = (int(match[3]), match[4], len(match[1]) // 4)
    assert set(drawn) == {error.__name__ for error in CLASSES}
    for error in CLASSES:
        status, code, depth = drawn[error.__name__]
        assert error.status == status
        assert code is None or error.code == code
        assert len(error.__mro__) - UnderstudyError.__mro__.__len__() == depth


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in CLASSES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_has_a_title_and_says_in_a_sentence_what_to_do(error: type[UnderstudyError]) -> None:
    problem = error("It happened.").problem()
    assert problem["detail"] == "It happened."
    assert problem["remedy"] == error.default_remedy
    assert error.default_remedy[0].isupper()
    assert error.default_remedy.endswith(".")
    assert error.title[0].isupper()
    assert not error.title.endswith(".")
    assert problem["type"] == f"urn:understudy:problem:{error.code}"


def test_a_remedy_of_the_case_replaces_the_general_one() -> None:
    assert ModelNotFound("There is no model 7.", remedy="Ask for 8.").remedy == "Ask for 8."
