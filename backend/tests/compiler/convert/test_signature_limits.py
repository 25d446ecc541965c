"""Models whose inputs or outputs no request could use are refused."""

import pytest

from understudy.compiler.convert.signature_limits import MAX_OUTPUTS, MAX_ROW_VALUES, check_inputs, check_outputs
from understudy.errors import CompileFailed
from understudy.schemas.compiler.report import TensorSignature


def signature(*shape: int | None, name: str = "x") -> TensorSignature:
    return TensorSignature(name=name, dtype="float32", shape=shape)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([], "has no inputs"),
        ([signature(None, 0)], r"The input x \[\?, 0\] float32 has a dimension of zero"),
        ([signature(None, 4), signature(0)], "dimension of zero"),
    ],
)
def test_inputs_that_hold_nothing_are_refused(inputs: list[TensorSignature], words: str) -> None:
    with pytest.raises(CompileFailed, match=words):
        check_inputs(inputs)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([], "has 0 outputs; 1 to 64"),
        ([signature(None, 3, name=str(number)) for number in range(MAX_OUTPUTS + 1)], "has 65 outputs"),
        ([signature(None, 0), signature(0, 4)], "answers without a value"),
        ([signature(None, 3), signature(None, MAX_ROW_VALUES + 1)], "holds 1000001 values a row; 1000000 are served"),
        ([signature(None, 1001, 1000)], "holds 1001000 values a row"),
    ],
)
def test_outputs_that_are_empty_or_too_large_are_refused(outputs: list[TensorSignature], words: str) -> None:
    with pytest.raises(CompileFailed, match=words):
        check_outputs(outputs)


def test_largest_signature_is_served() -> None:
    check_inputs([signature(None, None, 1)])
    check_outputs([signature(None, MAX_ROW_VALUES), signature(None, 0), *[signature(None, 3)] * (MAX_OUTPUTS - 2)])
