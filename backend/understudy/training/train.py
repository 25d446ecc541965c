"""Train a head the way users do: a folder of recordings in, a model file and its spec out."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import RequestInvalid
from understudy.inference.pipeline.scoring import aggregate
from understudy.inference.pipeline.yamnet_backbone import Backbone
from understudy.schemas.compiler.spec import (
    Aggregation,
    InputKind,
    OutputActivation,
    PartialSpec,
)
from understudy.settings import Settings
from understudy.training.embeddings import EmbeddingCache, embed_recordings
from understudy.training.evaluation import Evaluation, evaluate
from understudy.training.keras_head import KerasHead
from understudy.training.recordings import find_recordings
from understudy.yamnet.constants import SAMPLE_RATE

Progress = Callable[[str, int, int | None], None]
"""Called with a step's name ("embed", "fold 1", …, "final"), the amount done and the whole amount."""

_AGGREGATION = Aggregation.MEAN
_EVENT_THRESHOLD = 0.5


class TrainingReport(BaseModel):
    """What was trained, on what, and how well it does on folds it did not see."""

    model_config = ConfigDict(frozen=True)

    model_path: Path
    spec_path: Path
    spec: PartialSpec
    evaluation: Evaluation
    recordings: int
    windows: int
    backbone_digest: str
    seed: int
    epochs: int
    seconds: float = Field(description="Wall-clock time of the whole training")


def train_head(
    settings: Settings,
    data: Path,
    out: Path,
    *,
    folds: Literal["prefix"] | Path = "prefix",
    seed: int = 0,
    epochs: int = 25,
    overwrite: bool = False,
    on_progress: Progress | None = None,
) -> TrainingReport:
    """Fit a head on the labels that `data`'s folders name; write `out` (`.keras`) and `<stem>.spec.json` beside it.

    Accuracy is by cross-validation over the folds and of exactly what is served: the same windows, the mean of their
    softmax scores. The model written is then fitted on all recordings. Equal seeds give equal weights.

    Raises BackboneMissing, CompilerMissing, TrainingDataInvalid (naming the clip or label), and RequestInvalid when
    `out` is no `.keras` file or exists without `overwrite`.
    """
    began = time.monotonic()
    report_progress = on_progress or (lambda _step, _done, _total: None)
    _check_target(out, overwrite=overwrite)
    backbone = Backbone.load(settings.backbone_path)
    recordings = find_recordings(data, folds)
    labels = sorted({recording.label for recording in recordings})
    cache = EmbeddingCache(settings.var_dir / "embeddings", backbone, settings.max_audio_seconds)
    clips = embed_recordings(
        cache, [recording.path for recording in recordings], settings.inference_threads, report_progress
    )
    truth = np.array([labels.index(recording.label) for recording in recordings], dtype=np.int64)
    of_fold = np.array([recording.fold for recording in recordings])

    answers = np.zeros_like(truth)
    for fold in sorted(set(of_fold)):
        trained, tested = np.flatnonzero(of_fold != fold), np.flatnonzero(of_fold == fold)
        head = _fit_head(clips, truth, trained, len(labels), seed, epochs, f"fold {fold}", report_progress)
        for index in tested:
            answers[index] = aggregate(head.score(clips[index]), _AGGREGATION, top_k=1).argmax()
    evaluation = evaluate(labels, truth, answers, [recording.fold for recording in recordings])

    head = _fit_head(clips, truth, np.arange(len(clips)), len(labels), seed, epochs, "final", report_progress)
    spec = PartialSpec(
        input=InputKind.EMBEDDING,
        sample_rate=SAMPLE_RATE,
        labels=tuple(labels),
        activation=OutputActivation.SOFTMAX,
        aggregation=_AGGREGATION,
        thresholds=dict.fromkeys(labels, _EVENT_THRESHOLD),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    spec_path = out.with_name(f"{out.stem}.spec.json")
    spec_path.write_text(spec.model_dump_json(exclude_none=True, indent=2) + "\n", encoding="utf-8")
    head.save(out)
    return TrainingReport(
        model_path=out,
        spec_path=spec_path,
        spec=spec,
        evaluation=evaluation,
        recordings=len(recordings),
        windows=sum(len(clip) for clip in clips),
        backbone_digest=backbone.digest,
        seed=seed,
        epochs=epochs,
        seconds=time.monotonic() - began,
    )


def _check_target(out: Path, *, overwrite: bool) -> None:
    if out.suffix != ".keras":
        raise RequestInvalid(f"{out.name} does not end in .keras.", remedy="Name the model file NAME.keras.")
    if out.exists() and not overwrite:
        raise RequestInvalid(
            f"{out} exists, and a registered file must not change.", remedy="Choose another name, or ask to overwrite."
        )


def _fit_head(
    clips: Sequence[NDArray[np.float32]],
    truth: NDArray[np.int64],
    chosen: NDArray[np.int64],
    label_count: int,
    seed: int,
    epochs: int,
    step: str,
    report_progress: Progress,
) -> KerasHead:
    picked = [clips[index] for index in chosen]
    scale = float(np.sqrt(np.mean([np.mean(np.square(clip)) for clip in picked]))) or 1.0
    head = KerasHead(label_count, scale, seed)
    head.fit(picked, truth[chosen], epochs, lambda done: report_progress(step, done, epochs))
    return head
