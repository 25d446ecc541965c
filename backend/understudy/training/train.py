"""Train a head on YAMNet's embeddings from a folder of recordings, and write the model file, its spec and examples."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.compiler.model_source import compute_digest
from understudy.errors import RequestInvalid, TrainingDataInvalid
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.schemas.compiler.spec import Aggregation, InputKind, OutputActivation, PartialSpec, Tail
from understudy.schemas.front_end.arrangement import Arrangement
from understudy.schemas.front_end.head_pooling import HeadPooling
from understudy.schemas.front_end.sound import Sound
from understudy.settings import Settings
from understudy.training.clips.example_clips import (
    choose_clips,
    refuse_foreign_folder,
    remove_examples,
    write_examples,
)
from understudy.training.embeddings import EmbeddingCache, embed_recordings
from understudy.training.evaluation import Evaluation, evaluate
from understudy.training.head_rows import compute_width, make_rows, make_training_rows
from understudy.training.keras_head import KerasHead
from understudy.training.recordings import Recording, find_recordings
from understudy.yamnet.constants import HOP_SECONDS, SAMPLE_RATE, WINDOW_SECONDS

Progress = Callable[[str, int, int | None], None]
"""Called with a step's name ("embed", "fold 1", …, "final"), the amount done and the whole amount."""

_EVENT_THRESHOLD = 0.5


class TrainingReport(BaseModel):
    """The result of a training: the files, the data, and the accuracy on folds that the model was not trained on."""

    model_config = ConfigDict(frozen=True)

    model_path: Path
    spec_path: Path
    spec: PartialSpec
    pooling: HeadPooling
    examples_path: Path | None = Field(description="The examples.csv that was written; null without examples")
    examples: int = Field(description="Number of clips in it")
    held_out: int = Field(description="Number of these that the head in `model_path` was not trained on")
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
    pooling: HeadPooling = HeadPooling.NONE,
    seed: int = 0,
    epochs: int | None = None,
    overwrite: bool = False,
    examples: bool = True,
    on_progress: Progress | None = None,
) -> TrainingReport:
    """Train a head on the labels that the folders of `data` name, and write it to `out` and `<stem>.spec.json`.

    `pooling` decides whether the head scores each window, and the scores are averaged, or whether it scores the
    statistics of all embeddings of a clip. The accuracy is measured by cross-validation over the folds, on exactly what
    a server computes. The head in `out` is then trained on all recordings but a few examples. Their scores and copies
    of them are written to `<stem>.examples/` unless `examples` is false. Equal seeds give equal weights. `epochs` is
    the pooling's own number by default.

    Raises BackboneMissing when no backbone is installed, CompilerMissing when Keras is not installed,
    TrainingDataInvalid with the name of an unusable clip or label, and RequestInvalid when `out` does not end in
    `.keras`, or exists and `overwrite` is false.
    """
    began = time.monotonic()
    epochs = epochs or pooling.epochs
    report = on_progress or (lambda _step, _done, _total: None)
    _check_target(out, overwrite=overwrite)
    backbone = YamnetBackbone.load(settings.backbone_path)
    recordings = find_recordings(data, folds)
    labels = sorted({recording.label for recording in recordings})
    cache = EmbeddingCache(settings.var_dir / "embeddings", backbone, settings.max_audio_seconds)
    clips = embed_recordings(cache, [recording.path for recording in recordings], settings.inference_threads, report)
    if pooling is not HeadPooling.NONE:
        _refuse_long_clips(recordings, clips, settings.max_whole_clip_seconds)
    truth = np.array([labels.index(recording.label) for recording in recordings], dtype=np.int64)

    def fit_head(chosen: NDArray[np.int64], step: str) -> KerasHead:
        rows, answers = make_training_rows([clips[index] for index in chosen], truth[chosen], pooling)
        scale = float(np.sqrt(np.mean(np.square(rows, dtype=np.float64)))) or 1.0
        head = KerasHead(len(labels), scale, seed, compute_width(pooling))
        head.fit(rows, answers, epochs, lambda done: report(step, done, epochs))
        return head

    answers = _cross_validate(clips, truth, [recording.fold for recording in recordings], pooling, fit_head)
    chosen = choose_clips(recordings, settings, seed) if examples else []
    held_out = [clip.index for clip in chosen if clip.held_out]
    head = fit_head(np.setdiff1d(np.arange(len(clips)), held_out), "final")
    spec = _build_spec(labels, pooling)
    scores = [_score_clip(head, clips[clip.index], pooling) for clip in chosen]
    spec_path, examples_path = _write_files(head, spec, out, [recordings[clip.index].path for clip in chosen], scores)
    return TrainingReport(
        model_path=out,
        spec_path=spec_path,
        spec=spec,
        pooling=pooling,
        examples_path=examples_path,
        examples=len(chosen),
        held_out=len(held_out),
        evaluation=evaluate(labels, truth, answers, [recording.fold for recording in recordings]),
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
    refuse_foreign_folder(out)


def _refuse_long_clips(
    recordings: Sequence[Recording], clips: Sequence[NDArray[np.float32]], max_seconds: float
) -> None:
    """Raises TrainingDataInvalid with the name of a clip that is too long to be served as a whole."""
    for recording, clip in zip(recordings, clips, strict=True):
        seconds = WINDOW_SECONDS + (len(clip) - 1) * HOP_SECONDS
        if seconds > max_seconds:
            raise TrainingDataInvalid(
                f"{recording.path} lasts about {seconds:.0f} s. A head that pools embeddings takes the whole clip, "
                f"and a server accepts {max_seconds:g} s for that.",
                remedy="Cut the recording, raise UNDERSTUDY_MAX_WHOLE_CLIP_SECONDS, or train with --pooling none.",
            )


def _cross_validate(
    clips: Sequence[NDArray[np.float32]],
    truth: NDArray[np.int64],
    folds: Sequence[str],
    pooling: HeadPooling,
    fit_head: Callable[[NDArray[np.int64], str], KerasHead],
) -> NDArray[np.int64]:
    """Answer the clips of each fold with a head that `fit_head` trained on the clips of all other folds."""
    fold_of_clip = np.array(folds)
    answers = np.zeros_like(truth)
    for fold in sorted(set(folds)):
        head = fit_head(np.flatnonzero(fold_of_clip != fold), f"fold {fold}")
        for index in np.flatnonzero(fold_of_clip == fold).tolist():
            answers[index] = _score_clip(head, clips[index], pooling).argmax()
    return answers


def _score_clip(head: KerasHead, embeddings: NDArray[np.float32], pooling: HeadPooling) -> NDArray[np.float32]:
    """Return the clip's scores float32 [labels] as Keras computes them from the embeddings [windows, 1024]."""
    scores: NDArray[np.float32] = head.score(make_rows(embeddings, pooling)).mean(axis=0)
    return scores


def _build_spec(labels: Sequence[str], pooling: HeadPooling) -> PartialSpec:
    """Return a spec that says everything, so that nothing about the head is assumed."""
    by_window = pooling is HeadPooling.NONE
    return PartialSpec(
        input=InputKind.EMBEDDING,
        sample_rate=SAMPLE_RATE,
        sound=Sound(),
        pooling=pooling.spec,
        arrangement=Arrangement(),
        window_seconds=WINDOW_SECONDS if by_window else None,
        hop_seconds=HOP_SECONDS if by_window else None,
        tail=Tail.PAD,
        labels=tuple(labels),
        activation=OutputActivation.SOFTMAX,
        aggregation=Aggregation.MEAN,
        thresholds=dict.fromkeys(labels, _EVENT_THRESHOLD),
    )


def _write_files(
    head: KerasHead,
    spec: PartialSpec,
    out: Path,
    clips: Sequence[Path],
    scores: Sequence[NDArray[np.float32]],
) -> tuple[Path, Path | None]:
    """Write spec and examples before the model, so that a model never lies there without them; return both paths."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.stem}.{os.getpid()}.partial.keras")
    try:
        head.save(partial)
        spec_path = out.with_name(f"{out.stem}.spec.json")
        spec_path.write_text(spec.to_text(), encoding="utf-8")
        examples_path = None
        if clips:
            examples_path = write_examples(out, compute_digest(partial), spec.labels or (), clips, scores)
        else:
            remove_examples(out)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return spec_path, examples_path
