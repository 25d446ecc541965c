"""Completes a spec from the user's entries, the file's metadata and the model's signature."""

from collections.abc import Iterator, Sequence

from pydantic import ValidationError

from understudy.audio.features.item_shape import (
    measure_feature_shape,
    measure_sequence_shape,
    require_shape,
    takes_sequence,
)
from understudy.compiler.convert.waveform_input import is_waveform
from understudy.compiler.window_choice import choose_backbone_windows, choose_windows, read_length
from understudy.errors import SpecInvalid
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.report import CompileReport, TensorSignature
from understudy.schemas.compiler.spec import (
    DEFAULT_THRESHOLD,
    Assumption,
    BackboneUse,
    InputKind,
    OutputActivation,
    PartialSpec,
    Spec,
)
from understudy.schemas.front_end.parts import MelPart, MfccPart
from understudy.yamnet import constants as yamnet
from understudy.yamnet.class_map import read_class_names

SHORTEST_WAVEFORM = 4000  # samples; fewer is read as a vector of features
# Fields of the spec as given that the complete spec takes over unchanged.
_TAKEN_OVER = {
    "preset",
    "front_end",
    "sound",
    "pooling",
    "arrangement",
    "tail",
    "aggregation",
    "top_k",
    "thresholds",
    "otherwise",
}
_BY_SHAPE: dict[tuple[int, ...], InputKind] = {  # without the batch
    (yamnet.EMBEDDING_SIZE,): InputKind.EMBEDDING,
    (yamnet.CLASS_COUNT,): InputKind.SCORES,
    yamnet.PATCH_SHAPE: InputKind.LOG_MEL_PATCH,
    (*yamnet.PATCH_SHAPE, 1): InputKind.LOG_MEL_PATCH,
}


def _can_feed(kind: InputKind, signature: TensorSignature, width: int) -> bool:
    """Return whether `signature` takes inputs of `kind`; a dimension that varies takes any size.

    `width` is the number of values of the backbone's rows.
    """
    shape = signature.shape
    if kind is InputKind.TENSOR:
        return True
    if not signature.dtype.startswith("float"):
        return False
    if kind is InputKind.WAVEFORM:
        return len(shape) in (1, 2) or (len(shape) == 3 and shape[2] == 1)
    if kind.on_backbone:
        return len(shape) in (2, 3) and shape[-1] in (None, width)
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
    waveform = is_waveform(inputs[0]) or (read_length(inputs[0]) or 0) >= SHORTEST_WAVEFORM
    return InputKind.WAVEFORM if waveform else InputKind.TENSOR


def choose_score_output(outputs: Sequence[TensorSignature], labels: Sequence[str] | None) -> int:
    """Return the index of the output that holds the scores: the first with one value for each label, else 0."""
    for index, output in enumerate(outputs):
        if labels is not None and output.shape and output.shape[-1] == len(labels):
            return index
    return 0


def _read_score_width(outputs: Sequence[TensorSignature]) -> int | None:
    """Return C when the first output is floats [N, C] or [C]; None when it is not."""
    shape = outputs[0].shape if outputs else ()
    return shape[-1] if len(shape) in (1, 2) and outputs[0].dtype.startswith("float") else None


def _choose_input_kind(
    spec: PartialSpec,
    inputs: Sequence[TensorSignature],
    outputs: Sequence[TensorSignature],
    backbone: BackboneManifest | None,
) -> InputKind:
    shapes = ", ".join(f"{signature.name} {list(signature.shape)} {signature.dtype}" for signature in inputs)
    if spec.input is None:
        kind = _infer_input_kind(inputs)
        return kind if _read_score_width(outputs) is not None else InputKind.TENSOR
    if spec.input is InputKind.TENSOR:
        return spec.input
    kind, width = spec.input, _read_row_width(spec.input, backbone)
    fits = len(inputs) == 1 and (_is_measured(kind, spec, inputs[0], width) or _can_feed(kind, inputs[0], width))
    if not fits and backbone is not None:
        raise SpecInvalid(
            f"The backbone {backbone.name!r} makes embeddings of {width} values, and the model takes {shapes}.",
            remedy="Name the backbone that the model was trained on: `understudy backbone list` lists them.",
        )
    if not fits:
        raise SpecInvalid(f"The spec says input {spec.input.value!r}, but the model takes {shapes}.")
    if _read_score_width(outputs) is None:
        found = ", ".join(f"{signature.name} {list(signature.shape)}" for signature in outputs)
        raise SpecInvalid(
            f"The model's first output is not one score for each label: it returns {found}.",
            remedy="Export the model with one output [batch, labels], or register it with input 'tensor'.",
        )
    return spec.input


def _is_measured(kind: InputKind, spec: PartialSpec, signature: TensorSignature, width: int) -> bool:
    """Return whether the shape of the items follows from the spec's steps, so that making one shows whether it fits.

    `width` is the number of values of the backbone's rows.
    """
    if not signature.dtype.startswith("float"):
        return False
    return kind is InputKind.FEATURES or (kind.on_backbone and takes_sequence(spec, signature.shape, width))


def _read_row_width(kind: InputKind, backbone: BackboneManifest | None) -> int:
    """Return the number of values of a backbone's row; `backbone` None: YAMNet."""
    if backbone is not None:
        return backbone.width
    return yamnet.EMBEDDING_SIZE if kind is InputKind.EMBEDDING else yamnet.CLASS_COUNT


def _choose_labels(
    kind: InputKind, spec: PartialSpec, width: int | None, activation: OutputActivation
) -> tuple[tuple[str, ...], bool]:
    """Return the labels, and whether any source named them. One sigmoid output has two labels: negative, positive."""
    if spec.labels is not None:
        if width == 1 and kind is not InputKind.TENSOR:
            _check_binary(spec.labels, activation)
        elif width is not None and len(spec.labels) != width:
            raise SpecInvalid(
                f"{len(spec.labels)} labels are given, but the model returns {width} scores.",
                remedy="Give one label for every output, in the order of training.",
            )
        return spec.labels, True
    if width is None:
        return (), False
    if width == yamnet.CLASS_COUNT and kind in (InputKind.LOG_MEL_PATCH, InputKind.WAVEFORM):
        return read_class_names(), True
    if width == 1 and activation is OutputActivation.SIGMOID and kind is not InputKind.TENSOR:
        return ("negative", "positive"), False
    return tuple(f"class_{index}" for index in range(width)), False


def _check_binary(labels: tuple[str, ...], activation: OutputActivation) -> None:
    """Raises SpecInvalid unless `labels` are the two that one sigmoid output decides between."""
    if len(labels) != 2:
        raise SpecInvalid(
            f"{len(labels)} labels are given, but the model returns one score, which decides between two.",
            remedy="Give two labels, the negative one first: --labels no_scream,scream. The score is the second's.",
        )
    if activation is not OutputActivation.SIGMOID:
        raise SpecInvalid(
            "The model returns one score for two labels, and neither its graph nor the spec has a sigmoid.",
            remedy='Add "activation": "sigmoid" to the spec, or save the model with it.',
        )


def _choose_activation(wanted: OutputActivation | None, in_graph: OutputActivation) -> OutputActivation:
    """Return the activation between the model's logits and its scores; the graph's own wins."""
    if in_graph is OutputActivation.NONE:
        return wanted or OutputActivation.NONE
    # "none" for a model that ends with an activation asks for no further one, so it does not contradict the model.
    if wanted not in (None, OutputActivation.NONE, in_graph):
        raise SpecInvalid(
            f"The spec says activation {wanted.value!r}, but the model itself ends with {in_graph.value!r}.",
            remedy="Leave the activation out of the spec.",
        )
    return in_graph


def resolve(
    given: PartialSpec,
    read: PartialSpec,
    inputs: Sequence[TensorSignature],
    outputs: Sequence[TensorSignature],
    graph_activation: OutputActivation,
    backbone: BackboneManifest | None = None,
) -> Spec:
    """Return the complete spec: `given` wins over the file's metadata (`read`), and that over the signature.

    `outputs` begins with the output that holds the scores, and `graph_activation` is the activation it comes out of.
    `backbone` is the installed one that `given` names.
    The input kind follows from the shape of a single float input: embedding [N, 1024], scores [N, 521], log-mel patch
    [N, 96, 64] or [N, 96, 64, 1], waveform [T], [N, T] or [N, T, 1] where T varies or is at least 4000 samples; any
    other input makes a tensor model. A waveform of fixed T has windows of T samples that overlap by half; with a
    varying T the whole clip is one window. Raises SpecInvalid when the spec contradicts the model.
    """
    resolved = complete(given.over(read), inputs, outputs, graph_activation, backbone)
    if resolved.input is InputKind.FEATURES:
        require_shape(measure_feature_shape(resolved), inputs[0].shape, inputs[0].name)
    elif resolved.input.on_backbone and takes_sequence(resolved, inputs[0].shape, resolved.embedding_width):
        require_shape(measure_sequence_shape(resolved), inputs[0].shape, inputs[0].name)
    return resolved


def complete(
    spec: PartialSpec,
    inputs: Sequence[TensorSignature],
    outputs: Sequence[TensorSignature],
    graph_activation: OutputActivation,
    backbone: BackboneManifest | None = None,
) -> Spec:
    """Return the complete spec as `resolve` does, without making an item to see whether it fits the model's input."""
    activation = _choose_activation(spec.activation, graph_activation)
    if (spec.backbone is None) != (backbone is None):
        raise SpecInvalid(f"The spec names the backbone {spec.backbone and spec.backbone.name!r}, and none is given.")
    kind = _choose_input_kind(spec, inputs, outputs, backbone)
    width = _read_row_width(kind, backbone)
    measured = _is_measured(kind, spec, inputs[0], width)
    if backbone is None:
        rate, window, hop = choose_windows(kind, spec, inputs[0], measured=measured)
    else:
        rate, window, hop = choose_backbone_windows(spec, backbone, grouped=measured)
    labels, named = _choose_labels(kind, spec, _read_score_width(outputs), activation)
    values = {name: value for name, value in spec if name in _TAKEN_OVER and value is not None}
    if len(labels) == 2 and _read_score_width(outputs) == 1:
        values["otherwise"] = spec.otherwise or labels[0]
        values["thresholds"] = {labels[1]: DEFAULT_THRESHOLD} | (spec.thresholds or {})
    if spec.pooling is not None and not spec.pooling.statistics:
        del values["pooling"]
    if backbone is not None:
        values = {"sound": backbone.spec.sound} | ({} if measured else {"tail": backbone.spec.tail}) | values
        values["backbone"] = BackboneUse(name=backbone.name, digest=backbone.digest, width=backbone.width)
    try:
        return Spec(
            input=kind,
            sample_rate=rate,
            window_seconds=window,
            hop_seconds=hop,
            labels=labels,
            labels_named=named,
            activation=activation,
            assumed=tuple(_list_assumptions(kind, spec, backbone)),
            **values,
        )
    except ValidationError as error:
        raise SpecInvalid("; ".join(str(problem["msg"]) for problem in error.errors())) from error


def _list_assumptions(kind: InputKind, spec: PartialSpec, backbone: BackboneManifest | None) -> Iterator[Assumption]:
    one_row = backbone is not None and backbone.spec.window_seconds is None  # nothing to pool
    if kind.on_backbone and spec.pooling is None and not one_row:
        yield Assumption.POOLING
    if kind is InputKind.WAVEFORM and spec.sample_rate is None:
        yield Assumption.SAMPLE_RATE


def list_spec_notes(spec: Spec) -> Iterator[str]:
    """Yield what is odd about a complete spec although its original computes it so, as sentences for the report."""
    if spec.sample_rate == "file":
        return
    for index, part in enumerate(spec.front_end or ()):
        fmax = part.mel.fmax if isinstance(part, MelPart | MfccPart) else None
        if fmax is not None and fmax > spec.sample_rate / 2:
            yield (
                f"front_end[{index}].mel.fmax is {fmax:g} Hz, above half the sample rate ({spec.sample_rate / 2:g} "
                "Hz): bands above that are always 0, as librosa and torchaudio leave them."
            )


def refuse_misfit(
    spec: PartialSpec, earlier: PartialSpec, report: CompileReport, backbone: BackboneManifest | None
) -> None:
    """Raises SpecInvalid when `spec` does not fit a model that was compiled before, under the spec `earlier`.

    Where the report does not tell, such as for labels that only the file holds, nothing is raised: compiling decides.
    """
    only_in_file = spec.labels is None and earlier.labels is not None
    if only_in_file or choose_score_output(report.outputs, spec.labels) != 0:
        return
    read = PartialSpec(labels=report.spec.labels) if report.spec.labels_named and spec.labels is None else PartialSpec()
    resolve(spec, read, report.inputs, report.outputs, report.graph_activation, backbone)
