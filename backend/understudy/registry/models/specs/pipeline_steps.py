"""Describes the way from a recording to its label that a compiled model's spec names."""

from collections.abc import Iterator

from understudy.inference.pipeline.stream_support import find_stream_obstacle
from understudy.registry.models.specs.spec_facts import drop_unused, format_value, list_facts
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import Aggregation, Assumption, InputKind, OutputActivation, PartialSpec, Spec
from understudy.schemas.front_end.arrangement import Arrangement
from understudy.schemas.front_end.parts import FrontEndPart, MelPart
from understudy.schemas.front_end.pooling import Pooling
from understudy.schemas.front_end.sound import Sound
from understudy.schemas.front_end.spectrum import Decibels, Linear
from understudy.schemas.registry.pipeline_step import PipelineFact, PipelineStep, StepKind

_MOST_LABELS = 12
_PART_TITLES = {
    "stft": "Spectrum",
    "mel": "Mel bands",
    "log_mel": "Log-mel bands",
    "mfcc": "MFCC",
    "speech_mfcc": "MFCC (python_speech_features)",
    "speech_log_filterbank": "Log filter banks (python_speech_features)",
    "kaldi_fbank": "Log filter banks (Kaldi)",
    "chroma": "Chroma",
    "chroma_cqt": "Chroma (constant-Q)",
    "contrast": "Spectral contrast",
    "tonnetz": "Tonnetz",
}


def describe_pipeline(report: CompileReport) -> tuple[PipelineStep, ...]:
    """Return the steps in their order."""
    spec = report.spec
    if spec.input is InputKind.TENSOR:
        unsaid = ("how a recording becomes the model's input; the model takes tensors only",)
        return PipelineStep(kind=StepKind.RECORDING, title="Recording", unsaid=unsaid), _describe_network(report)
    preset = PartialSpec.model_validate({"preset": spec.preset}) if spec.preset else None
    return (
        PipelineStep(kind=StepKind.RECORDING, title="Recording"),
        _describe_sound(spec, preset),
        _describe_windows(spec, preset),
        *_describe_front_end(spec, preset),
        *_describe_pooling(spec, preset),
        *_describe_arrangement(spec, preset),
        _describe_network(report),
        _describe_activation(report),
        *_describe_aggregation(spec, preset),
        _describe_verdict(spec),
    )


def _compare(name: str, value: object, preset_value: object, *, preset: PartialSpec | None) -> PipelineFact:
    shown, said = format_value(value), format_value(preset_value)
    changed = preset is not None and shown != said
    return PipelineFact(name=name, value=shown, preset_value=said if changed else None)


def _describe_sound(spec: Spec, preset: PartialSpec | None) -> PipelineStep:
    said = None if preset is None else preset.sound or Sound()
    facts = drop_unused(list_facts(spec.sound, said), ("no", "none", "0"))
    if spec.sound.gain == "none":
        facts = [fact for fact in facts if fact.name != "gain_level" or fact.preset_value is not None]
    rate = _compare(
        "sample_rate",
        _format_rate(spec.sample_rate),
        None if preset is None else _format_rate(preset.sample_rate),
        preset=preset,
    )
    unsaid: tuple[str, ...] = ()
    if Assumption.SAMPLE_RATE in spec.assumptions:
        unsaid = (f"the sample rate; {_format_rate(spec.sample_rate)} is assumed",)
    return PipelineStep(kind=StepKind.SOUND, title="Sound", facts=(rate, *facts), unsaid=unsaid)


def _format_rate(rate: int | str | None) -> str:
    return "the recording's own" if rate == "file" else f"{rate:,} Hz"


def _describe_windows(spec: Spec, preset: PartialSpec | None) -> PipelineStep:
    whole = spec.window_seconds is None
    facts = [_compare("window_seconds", spec.window_seconds, preset and preset.window_seconds, preset=preset)]
    if whole:
        facts = [fact for fact in facts if fact.preset_value is not None]
    else:
        hop = None if preset is None else preset.hop_seconds or preset.window_seconds
        facts += [
            _compare("hop_seconds", spec.hop_seconds, hop, preset=preset),
            _compare("tail", spec.tail, (preset and preset.tail) or "pad", preset=preset),
        ]
    obstacle = find_stream_obstacle(spec.sound, spec.window_seconds, resampled=True)
    facts.append(PipelineFact(name="live stream", value=f"no, because of {obstacle.field}" if obstacle else "yes"))
    return PipelineStep(
        kind=StepKind.WINDOWS, title="The whole clip at once" if whole else "Windows", facts=tuple(facts)
    )


def _describe_front_end(spec: Spec, preset: PartialSpec | None) -> Iterator[PipelineStep]:
    if spec.backbone is not None:
        facts = (
            PipelineFact(name="embedding", value=f"{spec.backbone.width} values for each of its windows"),
            PipelineFact(name="digest", value=spec.backbone.digest),
        )
        yield PipelineStep(kind=StepKind.BACKBONE, title=f"Backbone {spec.backbone.name}", facts=facts)
        return
    if spec.input.on_backbone or spec.input is InputKind.LOG_MEL_PATCH:
        patches = (
            PipelineFact(name="frames", value="96, one every 10 ms"),
            PipelineFact(name="mel bands", value="64 from 125 to 7500 Hz, log(x + 0.001)"),
        )
        yield PipelineStep(kind=StepKind.FRONT_END, title="YAMNet's log-mel patches", facts=patches)
    if spec.input.on_backbone:
        values = f"{spec.input.value}, {spec.embedding_width} values for each patch"
        fact = PipelineFact(name="output", value=values)
        yield PipelineStep(kind=StepKind.BACKBONE, title="YAMNet", facts=(fact,))
    said = (preset and preset.front_end) or ()
    kinds, said_kinds = (tuple(part.kind for part in parts or ()) for parts in (spec.front_end, said))
    for index, part in enumerate(spec.front_end or ()):
        same = index < len(said) and said[index].kind == part.kind
        step = _describe_part(part, said[index] if same else None)
        if index == 0 and preset is not None and kinds != said_kinds:
            parts = _compare("front_end", kinds, said_kinds, preset=preset)
            step = step.model_copy(update={"facts": (parts, *step.facts)})
        yield step


def _describe_part(part: FrontEndPart, said: FrontEndPart | None) -> PipelineStep:
    facts = list_facts(_name_compression(part), None if said is None else _name_compression(said))
    title = _PART_TITLES.get(part.kind) or part.kind.replace("_", " ").capitalize()
    return PipelineStep(kind=StepKind.FRONT_END, title=title, facts=tuple(facts))


def _name_compression(part: FrontEndPart) -> FrontEndPart:
    """Return the part with the compression that null stands for."""
    if not isinstance(part, MelPart) or part.compression is not None:
        return part
    return part.model_copy(update={"compression": Linear() if part.kind == "mel" else Decibels()})


def _describe_pooling(spec: Spec, preset: PartialSpec | None) -> Iterator[PipelineStep]:
    if spec.input is not InputKind.FEATURES and not spec.input.on_backbone:
        return
    unsaid: tuple[str, ...] = ()
    if Assumption.POOLING in spec.assumptions:
        unsaid = (
            f"whether {spec.input.value} values are averaged over time before the model; each window is scored alone",
        )
    own = any(part.pooling for part in spec.front_end or ())
    fact = _compare("pooling", _join(spec.pooling), _join(preset.pooling if preset else None), preset=preset)
    if own and spec.pooling is None:
        fact = PipelineFact(name="pooling", value="of each part, as it says")
    yield PipelineStep(kind=StepKind.POOLING, title="Pooling over time", facts=(fact,), unsaid=unsaid)


def _join(pooling: Pooling | None) -> str:
    return " + ".join(pooling.statistics) if pooling and pooling.statistics else "none"


def _describe_arrangement(spec: Spec, preset: PartialSpec | None) -> Iterator[PipelineStep]:
    said = None if preset is None else preset.arrangement or Arrangement()
    if spec.arrangement == Arrangement() and said in (None, Arrangement()):
        return
    facts = drop_unused(list_facts(spec.arrangement, said), ("no", "none"))
    if spec.arrangement.picture is not None:  # it has axes of its own
        facts = [fact for fact in facts if fact.name != "layout.axes"]
    yield PipelineStep(kind=StepKind.ARRANGEMENT, title="Standardization and arrangement", facts=tuple(facts))


def _describe_network(report: CompileReport) -> PipelineStep:
    facts = (
        PipelineFact(name="input", value=", ".join(map(str, report.inputs))),
        PipelineFact(name="output", value=", ".join(map(str, report.outputs))),
        PipelineFact(name="format", value=report.format),
    )
    return PipelineStep(kind=StepKind.NETWORK, title="The model", facts=facts)


def _describe_activation(report: CompileReport) -> PipelineStep:
    activation = report.spec.activation
    unsaid: tuple[str, ...] = ()
    if report.graph_activation is not OutputActivation.NONE:
        value = f"{report.graph_activation}, the model's last layer"
    elif activation is not OutputActivation.NONE:
        value = f"{activation}, of the model's outputs"
    else:
        value = "none"
        unsaid = ("the activation; scores are the model's raw outputs, not probabilities",)
    fact = PipelineFact(name="activation", value=value)
    return PipelineStep(kind=StepKind.ACTIVATION, title="Scores", facts=(fact,), unsaid=unsaid)


def _describe_aggregation(spec: Spec, preset: PartialSpec | None) -> Iterator[PipelineStep]:
    if spec.window_seconds is None:
        return
    said = (preset and preset.aggregation) or Aggregation.MEAN
    facts = [_compare("aggregation", spec.aggregation, said, preset=preset)]
    if spec.aggregation is Aggregation.TOP_K_MEAN:
        facts.append(PipelineFact(name="top_k", value=str(spec.top_k)))
    yield PipelineStep(kind=StepKind.AGGREGATION, title="The clip's scores", facts=tuple(facts))


def _describe_verdict(spec: Spec) -> PipelineStep:
    names = ", ".join(spec.labels[:_MOST_LABELS])
    more = len(spec.labels) - _MOST_LABELS
    facts = [PipelineFact(name="labels", value=f"{names}, and {more} more" if more > 0 else names)]
    facts += [
        PipelineFact(name="threshold", value=f"{label} from {threshold:g}")
        for label, threshold in spec.thresholds.items()
    ]
    label = (
        "the highest score's" if spec.otherwise is None else f"{spec.otherwise}, unless another reaches its threshold"
    )
    facts.append(PipelineFact(name="label", value=label))
    unsaid = () if spec.labels_named else ("the labels' names; class_0, class_1, … stand in",)
    return PipelineStep(kind=StepKind.VERDICT, title="Verdict", facts=tuple(facts), unsaid=unsaid)
