"""Chooses the sample rate and the windows of a model from its spec, its input's signature and its backbone."""

from understudy.errors import FIND_SPEC, SpecInvalid
from understudy.schemas.compiler.backbone import BackboneManifest
from understudy.schemas.compiler.report import TensorSignature
from understudy.schemas.compiler.spec import InputKind, PartialInputSpec, PartialSpec, SampleRate
from understudy.yamnet import constants as yamnet

SHORTEST_WINDOW_SECONDS = 0.1  # a fixed waveform input below is a vector of features, not sound

Windows = tuple[SampleRate, float | None, float | None]
"""Sample rate in Hz, window and hop in seconds; a window of None is the whole clip."""


def choose_windows(kind: InputKind, spec: PartialInputSpec, signature: TensorSignature, *, measured: bool) -> Windows:
    """Return the sample rate in Hz and window and hop in seconds; None for the whole clip as one window.

    `measured` is what `is_measured` says. Raises SpecInvalid when the spec contradicts the input's signature.
    """
    if measured:
        return _choose_blocks(kind, spec)
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
    samples = read_length(signature)
    window = spec.window_seconds
    if samples is not None and rate == "file":
        raise SpecInvalid(
            f"The model takes {samples} samples, so the spec cannot keep the recording's own sample rate.",
            remedy="Set `sample_rate` to the rate that the model was trained with.",
        )
    if samples is not None and rate != "file":
        if samples < SHORTEST_WINDOW_SECONDS * rate:
            raise SpecInvalid(
                f"The model takes {samples} values, {1e3 * samples / rate:.3g} ms of sound at {rate} Hz: it takes "
                "features, not a waveform.",
                remedy=f"Name the features in the spec, by a `preset` or a `front_end`, or search them: `{FIND_SPEC}`.",
            )
        if window is not None and round(window * rate) != samples:
            raise SpecInvalid(
                f"The spec's window of {window} s is {round(window * rate)} samples at {rate} Hz, "
                f"but the model takes {samples}.",
                remedy="Correct window_seconds or sample_rate, or leave window_seconds out.",
            )
        window = window or samples / rate
    hop = spec.hop_seconds or (None if window is None else window / 2)
    return rate, window, hop


def choose_backbone_windows(spec: PartialSpec, backbone: BackboneManifest, *, grouped: bool) -> Windows:
    """Return sample rate, window and hop for a model on an installed backbone."""
    own = backbone.spec
    if spec.sample_rate not in (None, own.sample_rate):
        raise SpecInvalid(
            f"The backbone {backbone.name!r} takes sound at {own.sample_rate} Hz, not at {spec.sample_rate} Hz.",
            remedy="Leave `sample_rate` out of the spec: it is the backbone's.",
        )
    if grouped or own.window_seconds is None:
        return own.sample_rate, spec.window_seconds, spec.hop_seconds or spec.window_seconds
    if spec.window_seconds not in (None, own.window_seconds):
        raise SpecInvalid(
            f"The backbone {backbone.name!r} takes windows of {own.window_seconds:g} s, not of "
            f"{spec.window_seconds:g} s.",
            remedy="Leave `window_seconds` out of the spec, or pool the embeddings over time.",
        )
    return own.sample_rate, own.window_seconds, spec.hop_seconds or own.hop_seconds


def _choose_blocks(kind: InputKind, spec: PartialInputSpec) -> Windows:
    """Return sample rate, window and hop for features or a sequence of patches; windows follow one another."""
    if kind.on_backbone:
        if spec.sample_rate not in (None, yamnet.SAMPLE_RATE):
            raise SpecInvalid(f"YAMNet takes sound at {yamnet.SAMPLE_RATE} Hz, not at {spec.sample_rate} Hz.")
        return yamnet.SAMPLE_RATE, spec.window_seconds, spec.hop_seconds or spec.window_seconds
    if spec.sample_rate is None:
        raise SpecInvalid(
            "The spec has a `front_end` and no `sample_rate`.",
            remedy='Give the rate in Hz that the features were computed at, or "file" for the recording\'s own.',
        )
    return spec.sample_rate, spec.window_seconds, spec.hop_seconds or spec.window_seconds


def read_length(signature: TensorSignature) -> int | None:
    """Return T of [T], [N, T] or [N, T, 1]; None when T varies or the shape is another."""
    shape = signature.shape
    if len(shape) == 3 and shape[2] == 1:
        return shape[1]
    return shape[-1] if len(shape) in (1, 2) else None
