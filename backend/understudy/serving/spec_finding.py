"""Finds the spec of a model file from examples, on this machine and without a server."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from understudy.audio.features.scaler_file import read_scaler
from understudy.audio.opening import AudioLimits
from understudy.compiler.compiled_store import MODEL_FILE, PROBES_FILE, CompiledModel
from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.compiler.spec_resolution import complete, resolve
from understudy.errors import SpecInvalid
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.runtime.blas_threads import pin_blas
from understudy.inference.runtime.onnx_session import build_session
from understudy.inference.runtime.probe_replay import load_probes
from understudy.inference.spec_search.changes import Change, change_field, set_field
from understudy.inference.spec_search.hints import list_hints
from understudy.inference.spec_search.search import ExampleClip, SearchResult, SpecSearch
from understudy.inference.spec_search.trials import Trial
from understudy.registry.files.label_files import list_paths_beside, read_label_file
from understudy.registry.files.sidecar import get_sidecar_path, parse_spec, read_spec
from understudy.schemas.compiler.report import CompileReport
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec, Spec
from understudy.settings import Settings

_SCALER_SUFFIXES = (".json", ".npz")
_LARGEST_SCALER_BYTES = 16 << 20


@dataclass(frozen=True)
class FoundSpec:
    """The outcome of a search. `spec` is the best one with the labels; None when nothing fits the model's input.

    `hints` say what is likely different when no spec agrees.
    """

    report: CompileReport
    result: SearchResult
    spec: PartialSpec | None
    hints: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """True when the best spec answers all examples as they say."""
        return bool(self.result.best) and self.result.best[0].agrees


async def find_spec(
    settings: Settings,
    path: Path,
    examples: Sequence[ExampleClip],
    labels: tuple[str, ...] | None,
    *,
    seconds: float,
    on_step: Callable[[str], None],
    on_trial: Callable[[int, Trial | None], None],
) -> FoundSpec:
    """Compile the file for tensors and search the spec with which it answers the examples.

    `labels` are in the order of the outputs; without them those in the file or its sidecar are used. Raises SpecInvalid
    without any, or when the examples name other labels, and what compiling raises.
    """
    sidecar = _read_sidecar(path)
    if sidecar.backbone is not None:
        raise SpecInvalid(
            f"The sidecar names the backbone {sidecar.backbone.name!r}, and only specs with YAMNet or a front end are "
            "searched.",
            remedy="Write how its embeddings are pooled into the sidecar, or take `backbone` out of it.",
        )
    known = PartialSpec(labels=labels).over(sidecar)
    given = PartialSpec(input=InputKind.TENSOR, labels=known.labels, activation=known.activation)
    digest = await asyncio.to_thread(compute_digest, path)
    compiled = await _compile(settings, path, digest, given, on_step)
    report = compiled.report
    named = known.labels or (report.spec.labels if report.spec.labels_named else None)
    _check_labels(named, examples, path)
    fixed = PartialSpec(labels=named, activation=known.activation, thresholds=known.thresholds)

    def complete_quickly(candidate: PartialSpec) -> Spec:
        return complete(fixed.over(candidate), report.inputs, report.outputs, report.graph_activation)

    def complete_and_check(candidate: PartialSpec) -> Spec:
        return resolve(fixed.over(candidate), PartialSpec(), report.inputs, report.outputs, report.graph_activation)

    def search() -> SearchResult:
        pin_blas()
        session = build_session(compiled.folder / MODEL_FILE)
        backbone = YamnetBackbone.load(settings.backbone_path) if settings.backbone_path.is_file() else None
        spec_search = SpecSearch(
            report,
            session,
            load_probes(compiled.folder / PROBES_FILE),
            backbone,
            complete_quickly,
            complete_and_check,
            labels=named or (),
            limits=AudioLimits(max_seconds=settings.max_audio_seconds),
            max_whole_clip_seconds=settings.max_whole_clip_seconds,
            extra_changes=list_extra_changes(path, free_activation=known.activation is None, report=report),
        )
        return spec_search.run(examples, seconds, on_trial)

    result = await asyncio.to_thread(search)
    best = fixed.over(PartialSpec.model_validate(result.best[0].document)) if result.best else None
    hints = list_hints(result, report, has_backbone=settings.backbone_path.is_file())
    return FoundSpec(report, result, best, tuple(hints))


async def _compile(
    settings: Settings, path: Path, digest: str, spec: PartialSpec, on_step: Callable[[str], None]
) -> CompiledModel:
    """Compile the file for tensors; two labels may belong to one score, which tensors do not have labels for."""
    compiler = Compiler(settings)
    try:
        return await compiler.compile(path, digest, spec, on_step)
    except SpecInvalid:
        if spec.labels is None or len(spec.labels) != 2:
            raise
        return await compiler.compile(path, digest, PartialSpec(input=spec.input, activation=spec.activation), on_step)


def locate_sidecar(path: Path) -> Path:
    """Return the path of the sidecar of a model file or folder."""
    return path.parent / get_sidecar_path(path.name, folder=path.is_dir())


def _read_sidecar(path: Path) -> PartialSpec:
    sidecar = locate_sidecar(path)
    return read_spec(sidecar, sidecar.name) if sidecar.is_file() else parse_spec("{}", sidecar.name)


def list_extra_changes(path: Path, *, free_activation: bool, report: CompileReport) -> list[Change]:
    """Return the changes that only this model allows.

    They are a standardization by each scaler file beside the model and, where neither the graph nor a spec has one, the
    activation. The examples decide whether one is right.
    """
    changes: list[Change] = []
    for scaler in sorted(path.parent.iterdir()):
        if scaler.suffix.lower() not in _SCALER_SUFFIXES or scaler.stat().st_size > _LARGEST_SCALER_BYTES:
            continue
        try:
            mean, std = read_scaler(scaler, scaler.name)
        except SpecInvalid:
            continue
        for over in ("feature", "value"):
            numbers = {"kind": "per_feature", "over": over, "mean": list(mean), "std": list(std)}
            text = f"arrangement.standardize by {scaler.name}, per {over}"
            changes.append(
                Change("arrangement.standardize", text, partial(set_field, "arrangement.standardize", numbers))
            )
    if free_activation and report.graph_activation is OutputActivation.NONE:
        changes += change_field("activation", ("softmax", "sigmoid", "none"))
    return changes


def _check_labels(labels: tuple[str, ...] | None, examples: Sequence[ExampleClip], path: Path) -> None:
    if labels is None:
        raise SpecInvalid(
            "Nothing names the model's labels, so its scores cannot be compared with the examples.",
            remedy=f"Give them in the order of the outputs: --labels a,b,c or a file.{_offer_labels(path)}",
        )
    named = {name for _, expected in examples for name in (expected.label, *expected.scores) if name is not None}
    if unknown := sorted(named - set(labels)):
        raise SpecInvalid(
            f"The examples name labels that the model does not have: {', '.join(unknown[:10])}. "
            f"It has {', '.join(labels[:10])}.",
            remedy="Write the labels in the examples as in --labels.",
        )


def _offer_labels(path: Path) -> str:
    """Return a sentence for each file beside the model that may hold its labels."""
    offers = []
    for name in list_paths_beside(path.name, folder=path.is_dir()):
        if not (place := path.parent / name).is_file():
            continue
        try:
            found = read_label_file(place, name).labels
        except SpecInvalid:
            continue
        offers.append(f" {name} beside the file names {len(found)} labels: --labels {place}")
    return "".join(offers)
