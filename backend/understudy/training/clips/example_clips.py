"""Write examples beside a trained head: clips, and the scores that the training computed for them."""

import csv
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.errors import RequestInvalid
from understudy.schemas.registry.examples_folder import CSV_NAME, DIGEST_NAME, format_digest, name_examples_folder
from understudy.settings import Settings
from understudy.training.recordings import Recording

WANTED = 12
TOLERANCE = 0.001  # the served scores differ by about 1e-6; another resampler or pooling by far more
_CLIPS_PER_HELD_OUT = 20  # of a label, so that at most 5 % of its clips are not trained on
_UNSAFE = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class ChosenClip:
    """The position of a clip in the recordings. The head is not trained on it when it is `held_out`."""

    index: int
    held_out: bool


def choose_clips(recordings: Sequence[Recording], settings: Settings, seed: int) -> list[ChosenClip]:
    """Choose a dozen clips, or one of each label where there are more labels, in the order of the recordings.

    Clips and their number stay within the limits that `settings` have for examples. A label with less than 20 clips has
    all of them trained on. Equal seeds choose equal clips.
    """
    by_label: dict[str, list[int]] = {}
    for index in np.random.default_rng(seed).permutation(len(recordings)).tolist():
        by_label.setdefault(recordings[index].label, []).append(index)
    wanted = min(max(WANTED, len(by_label)), settings.max_examples)
    chosen: list[ChosenClip] = []
    left = settings.max_examples_bytes
    for index, number in _deal(dict(sorted(by_label.items()))):
        size = recordings[index].path.stat().st_size
        if len(chosen) < wanted and 0 < size <= min(left, settings.max_example_bytes):
            clips = len(by_label[recordings[index].label])
            chosen.append(ChosenClip(index, (number + 1) * _CLIPS_PER_HELD_OUT <= clips))
            left -= size
    return sorted(chosen, key=lambda clip: clip.index)


def _deal(by_label: dict[str, list[int]]) -> Iterator[tuple[int, int]]:
    """Yield the first clip of every label, then the second ones, and so on, each with its number in its label."""
    for number in range(max(map(len, by_label.values()), default=0)):
        for indexes in by_label.values():
            if number < len(indexes):
                yield indexes[number], number


def locate_folder(model: Path) -> Path:
    """Return the folder of the examples of a model file."""
    return model.with_name(name_examples_folder(model))


def refuse_foreign_folder(model: Path) -> None:
    """Raises RequestInvalid where the folder of the examples exists and no training wrote it."""
    folder = locate_folder(model)
    if os.path.lexists(folder) and not (folder / DIGEST_NAME).is_file():
        raise RequestInvalid(
            f"{folder} exists and was not written by a training, so it is not replaced.",
            remedy="Move it away, choose another --out, or leave the examples out with --no-examples.",
        )


def write_examples(
    model: Path,
    model_digest: str,
    labels: Sequence[str],
    clips: Sequence[Path],
    scores: Sequence[NDArray[np.float32]],
) -> Path:
    """Write the folder of the examples of `model` in place of an earlier one and return its examples.csv.

    `scores` holds float32 [labels] for each of `clips`, which are copied. A clip's label is left out where two scores
    are so close that rounding could exchange them.
    """
    folder = locate_folder(model)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir()
        with (partial / CSV_NAME).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            # The prefix keeps apart a label with the name of another column.
            table.writerow(["file", "label", "tolerance", *(f"score:{label}" for label in labels)])
            for number, (clip, row) in enumerate(zip(clips, scores, strict=True), start=1):
                name = f"{number:02}-{_UNSAFE.sub('_', clip.name)}"
                shutil.copyfile(clip, partial / name)
                table.writerow([name, _name_best(labels, row), TOLERANCE, *(f"{score:.7g}" for score in row.tolist())])
        (partial / DIGEST_NAME).write_text(format_digest(model_digest, model.name), encoding="utf-8")
        remove_examples(model)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder / CSV_NAME


def remove_examples(model: Path) -> None:
    """Remove the folder of the examples that a training wrote beside a model file, where there is one."""
    folder = locate_folder(model)
    if (folder / DIGEST_NAME).is_file():
        shutil.rmtree(folder)


def _name_best(labels: Sequence[str], scores: NDArray[np.float32]) -> str:
    second, best = np.argsort(scores)[-2:]
    return labels[best] if scores[best] - scores[second] > 2 * TOLERANCE else ""
