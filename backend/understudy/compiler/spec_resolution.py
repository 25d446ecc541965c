"""From what a person gave and what a file says to a complete spec that fits the model's signature."""

from collections.abc import Sequence

from pydantic import ValidationError

from understudy.compiler.convert.waveform_input import is_waveform
from understudy.errors import SpecInvalid
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import (
    InputKind,
    OutputActivation,
    PartialSpec,
    Spec,
)
from understudy.yamnet import constants as yamnet
from understudy.yamnet.class_map import read_class_names

SHORTEST_WAVEFORM = 4000  # samples; fewer is read as a vector of features
_BY_SHAPE: dict[tuple[int, ...], InputKind] = {  # without the batch
    (yamnet.EMBEDDING_SIZE,): InputKind.EMBEDDING,
    (yamnet.CLASS_COUNT,): InputKind.SCORES,
    yamnet.PATCH_SHAPE: InputKind.LOG_MEL_PATCH,
    (*yamnet.PATCH_SHAPE, 1): InputKind.LOG_MEL_PATCH,
}


def _can_feed(kind: InputKind, signature: TensorSignature) -> bool:
    """Whether inputs of `kind` can be fed to `signature`; dimensions that vary fit anything."""
    shape = signature.shape
    if kind is InputKind.TENSOR:
        return True
    if not signature.dtype.startswith("float"):
        return False
    if kind is InputKind.WAVEFORM:
        return len(shape) in (1, 2) or (len(shape) == 3 and shape[2] == 1)
    return any(
        len(shape) == len(dims) + 1 and all(a in (None, b) for a, b in zip(shape[1:], dims, strict=True))
        for dims, candidate in _BY_SHAPE.items()
        if candidate is kind
    )


def _infer_input_kind(inputs: Sequence[TensorSignature]) -> InputKind:
    if len(inputs) != 1 or not inputs[0].dtype.startswith("float"):
        return InputKind.TENSOR
    shape = inputs[0].shape
    if kind := _BY_SHAPE.get(tuple(dim or 0 for dim in shape[1:])):
        return kind
    waveform = is_waveform(inputs[0]) or (_read_length(inputs[0]) or 0) >= SHORTEST_WAVEFORM
    return InputKind.WAVEFORM if waveform else InputKind.TENSOR


def _read_length(signature: TensorSignature) -> int | None:
    """T of [T], [N, T] and [N, T, 1]; None when it varies or the shape is another."""
    shape = signature.shape
    if len(shape) == 3 and shape[2] == 1:
        return shape[1]
    return shape[-1] if len(shape) in (1, 2) else None


def choose_score_output(outputs: Sequence[TensorSignature], labels: Sequence[str] | None) -> int:
    """Which output holds the scores: the first as wide as the labels are many, else the first."""
    for index, output in enumerate(outputs):
        if labels is not None and output.shape and output.shape[-1] == len(labels):
            return index
    return 0


def _read_score_width(outputs: Sequence[TensorSignature]) -> int | None:
    """C when the first output is [N, C] or [C] scores; None when it is something else."""
    shape = outputs[0].shape if outputs else ()
    return shape[-1] if len(shape) in (1, 2) and outputs[0].dtype.startswith("float") else None


def _choose_input_kind(
    spec: PartialSpec, inputs: Sequence[TensorSignature], outputs: Sequence[TensorSignature]
) -> InputKind:
    shapes = ", ".join(f"{signature.name} {list(signature.shape)} {signature.dtype}" for signature in inputs)
    if spec.input is None:
        kind = _infer_input_kind(inputs)
        return kind if _read_score_width(outputs) is not None else InputKind.TENSOR
    if spec.input is InputKind.TENSOR:
        return spec.input
    if len(inputs) != 1 or not _can_feed(spec.input, inputs[0]):
        raise SpecInvalid(f"The spec says input {spec.input.value!r}, but the model takes {shapes}.")
    if _read_score_width(outputs) is None:
        found = ", ".join(f"{signature.name} {list(signature.shape)}" for signature in outputs)
        raise SpecInvalid(
            f"The model's first output holds no scores a label: it answers {found}.",
            remedy="Export the model with one output [batch, labels], or register it with input 'tensor'.",
        )
    return spec.input


def _choose_windows(
    kind: InputKind, spec: PartialSpec, signature: TensorSignature
) -> tuple[int, float | None, float | None]:
    """Sample rate in Hz, window and hop in seconds."""
    rate = spec.sample_rate or yamnet.SAMPLE_RATE
    if kind is InputKind.TENSOR:
        return rate, spec.window_seconds, spec.hop_seconds
    if kind is not InputKind.WAVEFORM:
        if rate != yamnet.SAMPLE_RATE or spec.window_seconds not in (None, yamnet.WINDOW_SECONDS):
            raise SpecInvalid(
                f"Input {kind.value!r} is YAMNet's: {yamnet.SAMPLE_RATE} Hz and windows of {yamnet.WINDOW_SECONDS} s, "
                f"not {rate} Hz and {spec.window_seconds or yamnet.WINDOW_SECONDS} s."
            )
        return rate, yamnet.WINDOW_SECONDS, spec.hop_seconds or yamnet.HOP_SECONDS
    samples = _read_length(signature)
    window = spec.window_seconds
    if samples is not None:
        if window is not None and round(window * rate) != samples:
            raise SpecInvalid(
                f"The spec's window of {window} s is {round(window * rate)} samples at {rate} Hz, "
                f"but the model takes {samples}.",
                remedy="Correct window_seconds or sample_rate, or leave window_seconds out.",
            )
        window = window or samples / rate
    hop = spec.hop_seconds or (None if window is None else window / 2)
    return rate, window, hop


def _choose_labels(kind: InputKind, spec: PartialSpec, width: int | None) -> tuple[tuple[str, ...], bool]:
    """The labels and whether any source named them."""
    if spec.labels is not None:
        if width is not None and len(spec.labels) != width:
            raise SpecInvalid(
                f"{len(spec.labels)} labels are given, but the model answers {width} scores.",
                remedy="Give one label for every output, in the order of training.",
            )
        return spec.labels, True
    if width is None:
        return (), False
    if width == yamnet.CLASS_COUNT and kind in (InputKind.LOG_MEL_PATCH, InputKind.WAVEFORM):
        return read_class_names(), True
    return tuple(f"class_{index}" for index in range(width)), False


def resolve(
    given: PartialSpec,
    read: PartialSpec,
    inputs: Sequence[TensorSignature],
    outputs: Sequence[TensorSignature],
    graph_activation: OutputActivation,
) -> Spec:
    """The complete spec: `given` first, then what the file says (`read`), then what the signature implies.

    Embedding [N, 1024], scores [N, 521], log-mel patch [N, 96, 64(, 1)] and waveform [T], [N, T], [N, T, 1] (T varying,
    or of at least 4000 samples) are recognised; anything else is a tensor model. A waveform of fixed T has windows of T
    samples that overlap by half, one of varying T takes the whole clip. Raises SpecInvalid where a source contradicts
    the model.
    """
    spec = given.over(read)
    # Saying "none" of a model that ends with an activation asks for nothing more, and nothing more is applied.
    if (
        spec.activation not in (None, OutputActivation.NONE, graph_activation)
        and graph_activation is not OutputActivation.NONE
    ):
        raise SpecInvalid(
            f"The spec says activation {spec.activation.value!r}, but the model itself ends with "
            f"{graph_activation.value!r}.",
            remedy="Leave the activation out of the spec.",
        )
    kind = _choose_input_kind(spec, inputs, outputs)
    rate, window, hop = _choose_windows(kind, spec, inputs[0])
    labels, named = _choose_labels(kind, spec, _read_score_width(outputs))
    activation = (
        graph_activation if graph_activation is not OutputActivation.NONE else spec.activation or OutputActivation.NONE
    )
    chosen = spec.model_dump(include={"aggregation", "top_k", "thresholds"}, exclude_none=True)
    try:
        return Spec(
            input=kind,
            sample_rate=rate,
            window_seconds=window,
            hop_seconds=hop,
            labels=labels,
            labels_named=named,
            activation=activation,
            **chosen,
        )
    except ValidationError as error:
        raise SpecInvalid("; ".join(str(problem["msg"]) for problem in error.errors())) from error
