import pytest
from pydantic import ValidationError

from understudy.cli.framework.error_translation import describe_faults, validate_request
from understudy.cli.framework.exit_codes import EXITS, choose_exit_code
from understudy.errors import (
    DatabaseUnavailable,
    ModelNotFound,
    NameTaken,
    NotAudio,
    NotFound,
    Refused,
    RequestInvalid,
    Unavailable,
    UnderstudyError,
    UnsafeBinding,
)
from understudy.errors.problem_documents import error_from_problem
from understudy.schemas.registry.model import ModelCreate


@pytest.mark.parametrize(
    "error",
    [
        ModelNotFound("There is no model 7."),
        NameTaken("Taken.", remedy="Rename it."),
        NotAudio("Text."),
        UnsafeBinding("x"),
    ],
)
def test_a_problem_document_becomes_the_error_it_came_from(error: UnderstudyError) -> None:
    again = error_from_problem(error.problem())
    assert type(again) is type(error)
    assert again.problem() == error.problem()


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, NotFound), (405, Refused), (422, Refused), (503, Unavailable), (500, UnderstudyError)],
)
def test_a_code_from_a_newer_server_keeps_its_family(status: int, expected: type[UnderstudyError]) -> None:
    assert type(error_from_problem({"code": "of_tomorrow", "status": status, "detail": "…"})) is expected


def test_every_family_has_a_documented_exit_code() -> None:
    def tree(root: type[UnderstudyError]) -> set[type[UnderstudyError]]:
        return {root}.union(*(tree(branch) for branch in root.__subclasses__()))

    codes = {choose_exit_code(kind("detail")) for kind in tree(UnderstudyError)}
    assert codes <= EXITS.keys()
    assert choose_exit_code(ModelNotFound("")) == 3
    assert choose_exit_code(NameTaken("")) == 4
    assert choose_exit_code(NotAudio("")) == choose_exit_code(RequestInvalid("")) == 5
    assert choose_exit_code(DatabaseUnavailable("")) == 6
    assert choose_exit_code(UnderstudyError("")) == 1


def test_an_option_that_does_not_fit_is_named() -> None:
    with pytest.raises(RequestInvalid, match=r"accuracy: .*less than or equal to 1"):
        validate_request(ModelCreate, {"model_name": "x", "file_path": "models/x.onnx", "accuracy": 1.5})


def test_faults_without_a_field_are_sentences_too() -> None:
    with pytest.raises(ValidationError) as caught:
        ModelCreate.model_validate("no object")
    assert not describe_faults(caught.value).startswith(":")
