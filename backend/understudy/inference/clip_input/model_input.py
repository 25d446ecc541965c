"""Choose how a recording fills a graph's input."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.arrangement import Arranger
from understudy.audio.features.extraction import build_extractor
from understudy.audio.features.item_shape import (
    Shape,
    measure_feature_shape,
    measure_sequence_shape,
    require_shape,
    takes_sequence,
)
from understudy.errors import SpecInvalid
from understudy.inference.clip_input.backbone import BackboneFrontEnd
from understudy.inference.clip_input.framing import (
    Extract,
    Framing,
    choose_patch_framing,
    choose_sample_framing,
)
from understudy.inference.clip_input.input_layout import Layout
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.schemas.compiler.spec import InputKind, InputSpec, Spec
from understudy.schemas.front_end.arrangement import Arrangement
from understudy.yamnet.constants import MEL_BANDS, SAMPLE_RATE

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ModelInput:
    """The framing of clips and the layout of items.

    `extract` computes an item from the samples of its window. `grouped`: an item is all items that a backbone takes in
    a window, not one of them.
    """

    framing: Framing
    layout: Layout
    extract: Extract | None = None
    grouped: bool = False


def choose_model_input(spec: Spec, tensor: GraphTensor, backbone: BackboneFrontEnd | None = None) -> ModelInput:
    """Return how clips are cut for the graph's input `tensor`, and how the items lie in it.

    `backbone` is the front end of the backbone that the model is on. Raises what `choose_input` raises, and SpecInvalid
    when the backbone takes other windows.
    """
    if not spec.input.on_backbone:
        return choose_input(spec, tensor)
    if backbone is None:
        raise SpecInvalid("The model takes the values of a backbone, and none is given.")
    grouped = takes_sequence(spec, tensor.shape, spec.embedding_width)
    framing = backbone.choose_framing(spec, grouped=grouped)
    if grouped:
        return ModelInput(framing, _place_exactly(tensor, measure_sequence_shape(spec)), grouped=True)
    return ModelInput(framing, Layout.from_tensor(tensor, (spec.embedding_width,)))


def choose_input(spec: InputSpec, tensor: GraphTensor) -> ModelInput:
    """Return how clips are cut for an input that takes waveforms, YAMNet's patches or the features of a front end.

    A window size that the graph fixes is used where the spec leaves the window open. Raises SpecInvalid when the graph
    does not take the input that the spec names, or when both fix different sizes.
    """
    match spec.input:
        case InputKind.WAVEFORM:
            layout = Layout.from_tensor(tensor, (None,))
            extract = _choose_sample_steps(spec.arrangement, layout.item[0])
            return ModelInput(choose_sample_framing(spec, layout.item[0], extract), layout, extract)
        case InputKind.LOG_MEL_PATCH:
            if spec.arrangement != Arrangement():
                raise SpecInvalid(
                    "The spec has an `arrangement`, and YAMNet's patches are taken as they are.",
                    remedy="Leave `arrangement` out, or name the features by a `front_end` of kind log_mel.",
                )
            layout = Layout.from_tensor(tensor, (None, MEL_BANDS))
            return ModelInput(choose_patch_framing(spec, layout.item[0]), layout)
        case InputKind.FEATURES:
            extract = build_extractor(spec).extract
            layout = _place_exactly(tensor, measure_feature_shape(spec))
            return ModelInput(choose_sample_framing(spec, None, extract), layout, extract)
        case InputKind.TENSOR:
            raise SpecInvalid("A tensor model takes no audio, so a clip cannot be cut for it.")
        case InputKind.EMBEDDING | InputKind.SCORES:
            raise SpecInvalid(f"An input of {spec.input.value!r} is what a backbone computes.")


def _choose_sample_steps(arrangement: Arrangement, fixed: int | None) -> Extract | None:
    """Return the steps of an arrangement on the samples of a window; None without any.

    Raises SpecInvalid where a step does not fit samples or makes something else of them.
    """
    if arrangement == Arrangement():
        return None
    arranger = Arranger(arrangement)
    made = arranger.arrange(np.linspace(-1, 1, fixed or SAMPLE_RATE, dtype=np.float32))
    if made.ndim != 1:
        raise SpecInvalid(
            f"The spec's arrangement makes items of {made.ndim} axes of samples, which have one.",
            remedy="Leave `arrangement.layout` out: the axis of a channel is added where the model has one.",
        )
    return lambda samples, rate: arranger.arrange(samples)  # noqa: ARG005  # the same at every rate


def _place_exactly(tensor: GraphTensor, item: Shape) -> Layout:
    """Return the layout of items in a batch; raises SpecInvalid, which names both shapes."""
    require_shape(item, tensor.shape, tensor.name)
    return Layout.from_tensor(tensor, item)
