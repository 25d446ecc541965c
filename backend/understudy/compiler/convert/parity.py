"""Compares an ONNX graph with the original model on random inputs of several shapes, on silence and on full scale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.compiler.convert.waveform_input import is_waveform
from understudy.errors import CompileFailed, ParityFailed
from understudy.schemas.compiler.report import ParityProbe, TensorSignature

Predict = Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[Any]]]

BATCHES = (1, 2, 7)  # 7 divides no other size, so a batch size frozen into the graph becomes visible
WAVEFORM_LENGTHS = (16_000, 24_001, 40_320)  # samples
SEQUENCE_LENGTHS = (96, 61, 130)  # frames
_SMALL_INTEGERS = {"int8", "uint8", "int16", "uint16"}


@dataclass(frozen=True)
class Agreement:
    """The proof that two predictors agree.

    `inputs` and `outputs` are one recorded batch with the reference's answer. `shapes` holds for each output the
    dimensions that were the same in all probes, and None for those that varied.
    """

    probes: tuple[ParityProbe, ...]
    inputs: dict[str, NDArray[Any]]
    outputs: dict[str, NDArray[Any]]
    shapes: dict[str, tuple[int | None, ...]]


def choose_probe_shapes(signatures: Sequence[TensorSignature]) -> list[tuple[tuple[int, ...], ...]]:
    """Return the input shapes of each probe, one shape for each input.

    A first axis that varies gets each batch size, any other axis that varies gets each length; fixed dimensions are
    kept. The first axis of a rank-1 input is its length, not its batch.
    """
    lengths = WAVEFORM_LENGTHS if any(is_waveform(signature) for signature in signatures) else SEQUENCE_LENGTHS
    pairs = [*zip(BATCHES, lengths, strict=True), (BATCHES[0], lengths[-1])]

    def fill_shape(signature: TensorSignature, batch: int, length: int) -> tuple[int, ...]:
        batched = len(signature.shape) > 1
        return tuple(
            (batch if axis == 0 and batched else length) if dim is None else dim
            for axis, dim in enumerate(signature.shape)
        )

    wanted = [tuple(fill_shape(signature, *pair) for signature in signatures) for pair in pairs]
    return list(dict.fromkeys(wanted))


def make_random_tensor(
    signature: TensorSignature, shape: tuple[int, ...], generator: np.random.Generator, *, indices: bool = False
) -> NDArray[Any]:
    """Return random values of the signature's dtype.

    Floats are normal with standard deviation 0.5, 8-bit and 16-bit integers cover their range, other integers and
    booleans are 0 or 1. With `indices` every dtype is 0 or 1, which a table look-up can take. Raises CompileFailed for
    a dtype that is not numeric.
    """
    dtype = np.dtype(signature.dtype)
    if indices and dtype.kind in "iufb":
        return generator.integers(0, 2, shape).astype(dtype)
    if dtype.kind == "f":
        return (0.5 * generator.standard_normal(shape)).astype(dtype)
    if signature.dtype in _SMALL_INTEGERS:
        limits = np.iinfo(dtype)
        return generator.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    if dtype.kind in "iub":
        return generator.integers(0, 2, shape).astype(dtype)
    raise CompileFailed(
        f"The input {signature.name!r} is of type {signature.dtype}, which Understudy cannot compare.",
        remedy="Export the model with float or integer inputs.",
    )


def choose_tolerance(reference: NDArray[Any], relative: float) -> float:
    """Return the largest absolute difference that counts as agreement.

    For floats it is `relative` * max(1, max |reference|), for 8-bit and 16-bit integers 1, for all others 0.
    """
    if reference.dtype.kind == "f":
        return relative * max(1.0, float(np.max(np.abs(reference), initial=0.0)))
    return 1.0 if reference.dtype.name in _SMALL_INTEGERS else 0.0


def _measure_error(name: str, reference: NDArray[Any], candidate: NDArray[Any], shapes: object) -> float:
    """Return max |reference - candidate|; raises ParityFailed for other shapes and for values that are not finite."""
    if reference.shape != candidate.shape:
        raise ParityFailed(
            f"For inputs of shape {shapes} the output {name!r} has shape {reference.shape} in the original "
            f"and {candidate.shape} in the compiled model."
        )
    for values, owner in ((reference, "original"), (candidate, "compiled model")):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            count = int(np.size(values) - np.isfinite(values).sum())
            raise ParityFailed(
                f"For inputs of shape {shapes} the {owner} has {count} values in {name!r} that are NaN or infinite.",
                remedy="Check the trained weights for NaN and save the model again.",
            )
    difference = np.abs(reference.astype(np.float64) - candidate.astype(np.float64))
    return float(np.max(difference, initial=0.0))


def _merge_shapes(first: tuple[int | None, ...], second: tuple[int, ...]) -> tuple[int | None, ...]:
    return tuple(a if a == b else None for a, b in zip(first, second, strict=True))


def _ask_reference(
    reference: Predict,
    signatures: Sequence[TensorSignature],
    shapes: tuple[tuple[int, ...], ...],
    generator: np.random.Generator,
    refusals: list[str],
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]] | None]:
    """Return random inputs and the original's answer; the answer is None when it refuses them.

    A model that refuses random numbers is asked again with 0 and 1, because it may look its input up in a table. Every
    refusal is added to `refusals`.
    """
    for indices in (False, True):
        tensors = {
            signature.name: make_random_tensor(signature, shape, generator, indices=indices)
            for signature, shape in zip(signatures, shapes, strict=True)
        }
        try:
            return tensors, reference(tensors)
        except (ValueError, RuntimeError, ArithmeticError) as error:
            refusals.append(f"{shapes}: {(str(error).strip().splitlines() or [type(error).__name__])[0][:200]}")
    return {}, None


def make_plain_tensors(
    signatures: Sequence[TensorSignature], shapes: tuple[tuple[int, ...], ...], generator: np.random.Generator
) -> list[dict[str, NDArray[Any]]]:
    """Return two inputs that random numbers never are: only zeros, and only the numbers 1 and -1, at random.

    By turns, the sum of 1 and -1 would be zero but for rounding, and so would parts of a spectrum, whose phase no two
    libraries compute alike. Integers and booleans are 1 and 0, which a table look-up can take as well.
    """
    placed = list(zip(signatures, shapes, strict=True))
    zeros = {tensor.name: np.zeros(shape, tensor.dtype) for tensor, shape in placed}
    return [zeros, {tensor.name: _choose_signs(tensor, shape, generator) for tensor, shape in placed}]


def _choose_signs(signature: TensorSignature, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[Any]:
    dtype = np.dtype(signature.dtype)
    low = -1 if dtype.kind == "f" else 0
    return np.where(generator.integers(0, 2, shape), 1, low).astype(dtype)


class _Comparison:
    """Collects what the probes of one comparison show."""

    def __init__(self, candidate: Predict, relative: float) -> None:
        self._candidate = candidate
        self._relative = relative
        self.probes: list[ParityProbe] = []
        self.observed: dict[str, tuple[int | None, ...]] = {}

    def add(
        self,
        shapes: tuple[tuple[int, ...], ...],
        tensors: Mapping[str, NDArray[Any]],
        expected: Mapping[str, NDArray[Any]],
    ) -> None:
        """Run the candidate on `tensors`. Raises ParityFailed where it does not answer as `expected`."""
        found = self._candidate(tensors)
        worst, allowed = 0.0, 0.0
        for name, values in expected.items():
            error, tolerance = (
                _measure_error(name, values, found[name], shapes),
                choose_tolerance(values, self._relative),
            )
            if error > tolerance:
                raise ParityFailed(
                    f"For inputs of shape {shapes} the output {name!r} differs by {error:.3g}; "
                    f"{tolerance:.3g} is allowed (largest value {np.max(np.abs(values)):.3g})."
                )
            worst, allowed = max(worst, error), max(allowed, tolerance)
            self.observed[name] = _merge_shapes(self.observed.get(name, values.shape), values.shape)
        self.probes.append(ParityProbe(input_shapes=shapes, max_abs_error=worst, tolerance=allowed))


def compare(
    reference: Predict, candidate: Predict, signatures: Sequence[TensorSignature], relative: float
) -> Agreement:
    """Run both predictors on the same inputs and return the proof that they agree.

    The inputs are random numbers in several shapes, then silence and full scale.

    They agree when max |reference - candidate| is within `choose_tolerance` for every output of every probe.
    `relative` is the tolerance relative to max(1, max |reference|). A shape that the original itself refuses, such as
    a sequence shorter than its receptive field, is left out. Raises ParityFailed with the numbers when the predictors
    differ, and CompileFailed when the original answers no probe.
    """
    generator = np.random.default_rng(20_26)
    comparison = _Comparison(candidate, relative)
    recorded: tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]] | None = None
    refusals: list[str] = []
    for shapes in choose_probe_shapes(signatures):
        tensors, expected = _ask_reference(reference, signatures, shapes, generator, refusals)
        if expected is None:
            continue
        comparison.add(shapes, tensors, expected)
        recorded = recorded or (tensors, expected)
    if recorded is None:
        raise CompileFailed(
            "The original model fails on every probe: " + "; ".join(refusals),
            remedy="Check that the model answers a batch of its declared input shape in its own framework.",
        )
    _compare_plain(reference, comparison, signatures, generator)
    return Agreement(tuple(comparison.probes), recorded[0], recorded[1], comparison.observed)


def _compare_plain(
    reference: Predict, comparison: _Comparison, signatures: Sequence[TensorSignature], generator: np.random.Generator
) -> None:
    """Compare silence and full scale, in the shape of the first probe; leave out what the original does not answer.

    An answer that is not finite is no answer: a model may divide by the level of its input.
    """
    shapes = comparison.probes[0].input_shapes
    for tensors in make_plain_tensors(signatures, shapes, generator):
        try:
            expected = reference(tensors)
        except (ValueError, RuntimeError, ArithmeticError):
            continue
        if all(np.isfinite(values).all() for values in expected.values() if values.dtype.kind == "f"):
            comparison.add(shapes, tensors, expected)
