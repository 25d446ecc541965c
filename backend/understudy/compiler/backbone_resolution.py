"""Completes the spec of a backbone from the signature of its graph."""

from collections.abc import Sequence

from pydantic import ValidationError

from understudy.audio.features.item_shape import measure_feature_shape, require_shape
from understudy.compiler.convert.waveform_input import is_waveform
from understudy.compiler.window_choice import choose_windows, read_length
from understudy.errors import SpecInvalid
from understudy.schemas.compiler.backbone import BackboneSpec
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import InputKind, InputSpec

_TAKEN_OVER = ("preset", "front_end", "sound", "pooling", "arrangement", "tail")


def resolve_backbone(given: BackboneSpec, inputs: Sequence[TensorSignature]) -> InputSpec:
    """Return the complete way to the backbone's input. Raises SpecInvalid when the spec contradicts the graph."""
    shapes = ", ".join(map(str, inputs))
    if given.input is None:
        raise SpecInvalid(
            "The spec does not say what the backbone takes.",
            remedy='Name a `preset` or a `front_end`; for samples: [{"kind": "waveform"}]. `understudy spec presets` '
            "lists the presets.",
        )
    if given.sample_rate is None:
        raise SpecInvalid("The spec has no `sample_rate`.", remedy="Give the rate in Hz that the backbone takes.")
    if len(inputs) != 1 or not inputs[0].dtype.startswith("float"):
        raise SpecInvalid(f"The backbone takes {shapes}, and audio fills one input of floats.")
    if given.input is InputKind.WAVEFORM and not (is_waveform(inputs[0]) or read_length(inputs[0])):
        raise SpecInvalid(f"The spec says input 'waveform', but the backbone takes {shapes}.")
    measured = given.input is InputKind.FEATURES
    rate, window, hop = choose_windows(given.input, given, inputs[0], measured=measured)
    values = {name: value for name, value in given if name in _TAKEN_OVER and value is not None}
    try:
        spec = InputSpec(input=given.input, sample_rate=rate, window_seconds=window, hop_seconds=hop, **values)
    except ValidationError as error:
        raise SpecInvalid("; ".join(str(problem["msg"]) for problem in error.errors())) from error
    if measured:
        require_shape(measure_feature_shape(spec), inputs[0].shape, inputs[0].name)
    return spec


def choose_embedding(given: BackboneSpec, outputs: Sequence[TensorSignature]) -> tuple[str, int]:
    """Return the name of the output that is the embedding, and the number of its values.

    Raises SpecInvalid, which lists the outputs, when there is none or when the spec has to name one.
    """
    made = ", ".join(map(str, outputs))
    chosen = [each for each in outputs if given.output in (None, each.name)]
    if len(chosen) != 1:
        said = (
            f"names the output {given.output!r}" if given.output else "does not name the output that is the embedding"
        )
        raise SpecInvalid(
            f"The spec {said}, and the backbone makes {made}.",
            remedy=f"Set `output` in the spec to one of: {', '.join(each.name for each in outputs)}.",
        )
    [output] = chosen
    width = output.shape[-1] if output.shape else None
    if not output.dtype.startswith("float") or len(output.shape) not in (1, 2) or width is None:
        raise SpecInvalid(
            f"The output {output} is not one embedding [batch, values] for each input.",
            remedy="Name another `output`, or export the network with its embedding averaged over time.",
        )
    return output.name, width
