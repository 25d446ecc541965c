"""Train the starter model: run `python scripts/train_starter.py ESC10_FOLDER` in `backend/`.

Needs the compiler's frameworks and an installed YAMNet backbone. First measures the accuracy by cross-validation: each
student and its teacher are trained without the fold that they are tested on. Then trains on all sounds, writes
models/starter.keras and models/starter.spec.json, and prints the numbers of the model card.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.scoring import aggregate
from understudy.schemas.compiler.spec import (
    Aggregation,
    InputKind,
    OutputActivation,
    PartialSpec,
)
from understudy.settings import Settings
from understudy.training.clips.synthesis import SOUNDS
from understudy.training.evaluation import Evaluation, evaluate
from understudy.training.material import Sound, SoundKind, cut_served_windows, gather
from understudy.training.recordings import find_recordings
from understudy.training.student import Student
from understudy.yamnet.constants import SAMPLE_RATE

AGGREGATION = Aggregation.MEAN
console = Console()


def train_student(labels: Sequence[str], sounds: Sequence[Sound], steps: int, seed: int, name: str) -> Student:
    """Train a student and show its progress under `name`."""
    student = Student(labels, seed)
    with Progress(console=console) as progress:
        task = progress.add_task(name, total=steps)
        student.fit(sounds, steps, lambda done: progress.update(task, completed=done))
    return student


def cross_validate(
    labels: Sequence[str], sounds: Sequence[Sound], steps: int, seed: int
) -> tuple[Evaluation, Evaluation]:
    """Return the evaluations over the recordings and over the synthesized sounds that have a label."""
    answers: dict[int, int] = {}
    for fold in sorted({sound.fold for sound in sounds}):
        began = time.monotonic()
        student = train_student(labels, [sound for sound in sounds if sound.fold != fold], steps, seed, f"fold {fold}")
        for index, sound in enumerate(sounds):
            if sound.fold == fold and sound.label and sound.kind in (SoundKind.RECORDED, SoundKind.SYNTHESIZED):
                answers[index] = int(aggregate(student.score(cut_served_windows(sound)), AGGREGATION, 1).argmax())
        console.print(f"fold {fold} in {time.monotonic() - began:.0f} s")

    def evaluate_kind(kind: SoundKind) -> Evaluation:
        chosen = [index for index in answers if sounds[index].kind is kind]
        truth = np.array([list(labels).index(sounds[index].label or "") for index in chosen])
        judged = np.array([answers[index] for index in chosen])
        return evaluate(labels, truth, judged, [sounds[index].fold for index in chosen])

    return evaluate_kind(SoundKind.RECORDED), evaluate_kind(SoundKind.SYNTHESIZED)


def print_evaluation(title: str, evaluation: Evaluation) -> None:
    """Print accuracy and confusion matrix."""
    console.print(f"\n{title}: {evaluation.accuracy:.2%}", evaluation.fold_accuracy)
    for label, row in zip(evaluation.labels, evaluation.confusion, strict=True):
        console.print(f"| {label} | {' | '.join(str(count) for count in row)} |", soft_wrap=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="ESC-10: a folder for each label; file names begin with the fold")
    parser.add_argument("--steps", type=int, default=1500, help="batches of 64 windows in each training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--synthesised", type=int, default=40, help="number of sounds of each synthesized kind")
    parser.add_argument("--skip-folds", action="store_true", help="train the final model only")
    arguments = parser.parse_args()

    settings = Settings()
    recordings = find_recordings(arguments.data, "prefix")
    labels = sorted({recording.label for recording in recordings} | set(SOUNDS))
    began = time.monotonic()
    sounds = list(
        gather(recordings, YamnetBackbone.load(settings.backbone_path), arguments.synthesised, arguments.seed)
    )
    console.print(f"{len(sounds)} sounds in {time.monotonic() - began:.0f} s")
    if not arguments.skip_folds:
        recorded, synthesized = cross_validate(labels, sounds, arguments.steps, arguments.seed)
        print_evaluation("Recordings", recorded)
        print_evaluation("Synthesized sounds", synthesized)

    student = train_student(labels, sounds, arguments.steps, arguments.seed, "final")
    spec = PartialSpec(
        input=InputKind.LOG_MEL_PATCH,
        sample_rate=SAMPLE_RATE,
        window_seconds=0.96,
        hop_seconds=0.48,
        labels=tuple(labels),
        activation=OutputActivation.SIGMOID,
        aggregation=AGGREGATION,
        thresholds=dict.fromkeys(labels, 0.5),
    )
    target = settings.models_dir / "starter.keras"
    student.model.save(target)
    target.with_name("starter.spec.json").write_text(spec.model_dump_json(exclude_none=True, indent=2) + "\n", "utf-8")
    console.print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
