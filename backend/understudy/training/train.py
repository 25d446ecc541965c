"""Train a head on YAMNet's embeddings from a folder of recordings, and write the model file and its spec."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import RequestInvalid
from understudy.inference.clip_input.yamnet_backbone import Backbone
from understudy.inference.pipeline.scoring import aggregate
from understudy.schemas.compiler.spec import (
    Aggregation,
    InputKind,
    OutputActivation,
    PartialSpec,
)
from understudy.schemas.front_end.pooling import Pooling
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
    """The result of a training: the files, the data, and the accuracy on folds that the model was not trained on."""

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
    """Train a head on the labels that the folders of `data` name, and write it to `out` and `<stem>.spec.json`.

    The accuracy is measured by cross-validation over the folds, on exactly what a server computes: the same windows,
    and the mean of their softmax scores. The head in `out` is then trained on all recordings. Equal seeds give equal
    weights.

    Raises BackboneMissing when no backbone is installed, CompilerMissing when Keras is not installed,
    TrainingDataInvalid with the name of an unusable clip or label, and RequestInvalid when `out` does not end in
    `.keras`, or exists and `overwrite` is false.
    """
    began = time.monotonic()
    report = on_progress or (lambda _step, _done, _total: None)
    _check_target(out, overwrite=overwrite)
    backbone = Backbone.load(settings.backbone_path)
    recordings = find_recordings(data, folds)
    labels = sorted({recording.label for recording in recordings})
    cache = EmbeddingCache(settings.var_dir / "embeddings", backbone, settings.max_audio_seconds)
    clips = embed_recordings(cache, [recording.path for recording in recordings], settings.inference_threads, report)
    truth = np.array([labels.index(recording.label) for recording in recordings], dtype=np.int64)

    def fit_head(chosen: NDArray[np.int64], step: str) -> KerasHead:
        own = [clips[index] for index in chosen]
        return _fit_head(own, truth[chosen], len(labels), seed, epochs, lambda done: report(step, done, epochs))

    evaluation = _cross_validate(labels, clips, truth, [recording.fold for recording in recordings], fit_head)
    head = fit_head(np.arange(len(clips)), "final")
    spec, spec_path = _write_model(head, labels, out)
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
            f"{out} exists, and a registered file must not change.",
            remedy="Choose another file name, or give --overwrite.",
        )


def _cross_validate(
    labels: Sequence[str],
    clips: Sequence[NDArray[np.float32]],
    truth: NDArray[np.int64],
    folds: Sequence[str],
    fit_head: Callable[[NDArray[np.int64], str], KerasHead],
) -> Evaluation:
    """Answer the clips of each fold with a head that `fit_head` trained on the clips of all other folds."""
    fold_of_clip = np.array(folds)
    answers = np.zeros_like(truth)
    for fold in sorted(set(folds)):
        head = fit_head(np.flatnonzero(fold_of_clip != fold), f"fold {fold}")
        for index in np.flatnonzero(fold_of_clip == fold).tolist():
            answers[index] = aggregate(head.score(clips[index]), _AGGREGATION, top_k=1).argmax()
    return evaluate(labels, truth, answers, folds)


def _fit_head(
    clips: Sequence[NDArray[np.float32]],
    truth: NDArray[np.int64],
    label_count: int,
    seed: int,
    epochs: int,
    on_epoch: Callable[[int], None],
) -> KerasHead:
    scale = float(np.sqrt(np.mean([np.mean(np.square(clip)) for clip in clips]))) or 1.0
    head = KerasHead(label_count, scale, seed)
    head.fit(clips, truth, epochs, on_epoch)
    return head


def _write_model(head: KerasHead, labels: Sequence[str], out: Path) -> tuple[PartialSpec, Path]:
    """Write the spec and then the model, so that a model file never lies there without its spec."""
    spec = PartialSpec(
        input=InputKind.EMBEDDING,
        sample_rate=SAMPLE_RATE,
        pooling=Pooling(statistics=()),
        labels=tuple(labels),
        activation=OutputActivation.SOFTMAX,
        aggregation=_AGGREGATION,
        thresholds=dict.fromkeys(labels, _EVENT_THRESHOLD),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    spec_path = out.with_name(f"{out.stem}.spec.json")
    spec_path.write_text(spec.to_text(), encoding="utf-8")
    head.save(out)
    return spec, spec_path
