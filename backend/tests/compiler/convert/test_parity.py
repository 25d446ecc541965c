"""An original and its compiled model are compared on probes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.compiler.convert import parity
from understudy.errors import CompileFailed, ParityFailed
from understudy.schemas.compiler.report import TensorSignature

RELATIVE = 1e-4
Tensors = Mapping[str, NDArray[Any]]


def signature(*shape: int | None, name: str = "x", dtype: str = "float32") -> TensorSignature:
    return TensorSignature(name=name, dtype=dtype, shape=shape)


def total(tensors: Tensors) -> dict[str, NDArray[Any]]:
    return {"y": tensors["x"].sum(axis=-1, keepdims=True)}


def test_batch_sizes_one_two_and_seven_are_probed() -> None:
    agreement = parity.compare(total, total, [signature(None, 8)], RELATIVE)
    silence = full_scale = ((1, 8),)
    assert [probe.input_shapes for probe in agreement.probes] == [((1, 8),), ((2, 8),), ((7, 8),), silence, full_scale]
    assert agreement.shapes == {"y": (None, 1)}
    assert agreement.inputs["x"].shape == (1, 8)
    assert np.array_equal(agreement.outputs["y"], total(agreement.inputs)["y"])


@pytest.mark.parametrize(
    ("shape", "shapes_probed"),
    [
        ((1, 8), [(1, 8)]),
        ((4, None, 8), [(4, 96, 8), (4, 61, 8), (4, 130, 8)]),
        ((None, None, 8), [(1, 96, 8), (2, 61, 8), (7, 130, 8), (1, 130, 8)]),
        ((None,), [(16_000,), (24_001,), (40_320,)]),
        ((None, None, 1), [(1, 16_000, 1), (2, 24_001, 1), (7, 40_320, 1), (1, 40_320, 1)]),
    ],
)
def test_varying_dimensions_are_varied_and_fixed_ones_kept(
    shape: tuple[int | None, ...], shapes_probed: list[tuple[int, ...]]
) -> None:
    assert [shapes[0] for shapes in parity.choose_probe_shapes([signature(*shape)])] == shapes_probed


def test_a_batch_size_frozen_into_the_compiled_model_is_refused() -> None:
    def frozen(tensors: Tensors) -> dict[str, NDArray[Any]]:
        return {"y": total(tensors)["y"][:1]}

    with pytest.raises(ParityFailed, match=r"shape \(2, 1\) in the original and \(1, 1\)"):
        parity.compare(total, frozen, [signature(None, 8)], RELATIVE)


def test_a_deviation_is_refused_with_the_numbers() -> None:
    def wrong(tensors: Tensors) -> dict[str, NDArray[Any]]:
        return {"y": total(tensors)["y"] + np.float32(0.25)}

    with pytest.raises(ParityFailed, match=r"differs by 0\.25; .* is allowed"):
        parity.compare(total, wrong, [signature(None, 8)], RELATIVE)


def test_the_tolerance_grows_with_large_values_only() -> None:
    assert parity.choose_tolerance(np.array([0.5], np.float32), RELATIVE) == pytest.approx(1e-4)
    assert parity.choose_tolerance(np.array([-50.0], np.float32), RELATIVE) == pytest.approx(5e-3)
    assert parity.choose_tolerance(np.array([100], np.int8), RELATIVE) == 1.0
    assert parity.choose_tolerance(np.array([100], np.int64), RELATIVE) == 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_that_are_not_finite_are_refused_even_when_both_agree(value: float) -> None:
    def broken(tensors: Tensors) -> dict[str, NDArray[Any]]:
        return {"y": np.full((len(tensors["x"]), 2), value, np.float32)}

    with pytest.raises(ParityFailed, match="2 values in 'y' that are NaN or infinite"):
        parity.compare(broken, broken, [signature(None, 8)], RELATIVE)


def test_lengths_that_the_original_refuses_are_left_out() -> None:
    def needs_long(tensors: Tensors) -> dict[str, NDArray[Any]]:
        if tensors["x"].shape[1] < 100:
            raise ValueError("negative dimension")
        return total(tensors)

    agreement = parity.compare(needs_long, total, [signature(None, None, 8)], RELATIVE)
    assert [probe.input_shapes[0] for probe in agreement.probes] == [(7, 130, 8), (1, 130, 8), *[(7, 130, 8)] * 2]


def test_an_original_that_looks_its_input_up_in_a_table_is_probed_with_indices() -> None:
    def table(tensors: Tensors) -> dict[str, NDArray[Any]]:
        if (tensors["x"] < 0).any():
            raise ValueError("indices[0] = -1 is not in [0, 100)")
        return total(tensors)

    agreement = parity.compare(table, total, [signature(None, 8)], RELATIVE)
    assert len(agreement.probes) == 4  # with silence, and without the -1 of full scale
    assert set(np.unique(agreement.inputs["x"])) == {0.0, 1.0}


def test_an_original_that_refuses_every_probe_is_refused_with_its_message() -> None:
    def never(tensors: Tensors) -> dict[str, NDArray[Any]]:
        raise ValueError("kernel larger than input")

    with pytest.raises(CompileFailed, match="kernel larger than input"):
        parity.compare(never, total, [signature(None, 8)], RELATIVE)


def test_inputs_of_every_numeric_type_are_made_and_strings_refused() -> None:
    generator = np.random.default_rng(0)
    for dtype in ("float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"):
        made = parity.make_random_tensor(signature(2, 3, dtype=dtype), (2, 3), generator)
        assert (made.dtype.name, made.shape) == (dtype, (2, 3))
    with pytest.raises(CompileFailed, match="cannot compare"):
        parity.make_random_tensor(signature(2, dtype="str"), (2,), generator)


@pytest.mark.parametrize("level", [0.0, 1.0], ids=["silence", "full scale"])
def test_a_difference_on_silence_or_at_full_scale_is_refused(level: float) -> None:
    def wrong(tensors: Tensors) -> dict[str, NDArray[Any]]:
        unusual = (np.abs(tensors["x"]) == level).all(axis=-1, keepdims=True)
        return {"y": total(tensors)["y"] + np.where(unusual, np.float32(0.5), np.float32(0))}

    with pytest.raises(ParityFailed, match=r"differs by 0\.5"):
        parity.compare(total, wrong, [signature(None, 8)], RELATIVE)


def test_silence_that_the_original_has_no_finite_answer_for_is_left_out() -> None:
    def normalized(tensors: Tensors) -> dict[str, NDArray[Any]]:
        with np.errstate(invalid="ignore"):
            return {"y": tensors["x"] / np.abs(tensors["x"]).max()}

    agreement = parity.compare(normalized, normalized, [signature(1, 8)], RELATIVE)
    assert len(agreement.probes) == 2  # noise and full scale


def test_silence_of_integers_and_booleans_is_zero() -> None:
    signatures = [signature(None, 50, name=name, dtype=name) for name in ("int64", "uint8", "bool")]
    zeros, full = parity.make_plain_tensors(signatures, ((1, 50),) * 3, np.random.default_rng(0))
    for name in ("int64", "uint8", "bool"):
        assert not zeros[name].any()
        assert set(np.unique(full[name])) == {0, 1}
        assert full[name].dtype == name
