"""The recordings that an int8 twin is calibrated and measured on, and the inputs that they give a graph."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.audio.suffixes import SUFFIXES
from understudy.errors import TrainingDataInvalid
from understudy.inference.int8.variant_agreement import LabeledClip
from understudy.inference.pipeline.framing import choose_framing
from understudy.inference.pipeline.input_layout import Layout
from understudy.inference.runtime.tensor_signature import Tensor
from understudy.schemas.compiler.report import CompileReport

MOST_WINDOWS = 256
_BATCH = 16
_CALIBRATING_SHARE = 0.4
_FEWEST_TO_SPLIT = 10


def find_clips(folder: Path) -> list[LabeledClip]:
    """The recordings in `folder`, or in its sub-folders, whose names are then labels; sorted by path.

    Raises TrainingDataInvalid where there are none.
    """
    found = [
        LabeledClip(path, None if path.parent == folder else path.parent.name)
        for path in sorted([*folder.glob("*"), *folder.glob("*/*")])
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    if not found:
        raise TrainingDataInvalid(
            f"{folder} holds no recordings.", remedy="Give --clips a folder of recordings, or of one folder a label."
        )
    return found


def split(clips: Sequence[LabeledClip]) -> tuple[list[LabeledClip], list[LabeledClip]]:
    """Clips to calibrate on and others to measure on: of each label, by name, the first two fifths and the rest.

    Names that begin with a fold or a source keep such clips together. Fewer than ten clips do both.
    """
    if len(clips) < _FEWEST_TO_SPLIT:
        return list(clips), list(clips)
    calibrating: list[LabeledClip] = []
    for label in dict.fromkeys(clip.label for clip in clips):
        own = [clip for clip in clips if clip.label == label]
        calibrating += own[: round(_CALIBRATING_SHARE * len(own))]
    taken = {clip.path for clip in calibrating}
    return calibrating, [clip for clip in clips if clip.path not in taken]


def compute_digest(clips: Sequence[LabeledClip]) -> str:
    """SHA-256 over the labels and the SHA-256 of each clip."""
    whole = hashlib.sha256()
    for clip in clips:
        with clip.path.open("rb") as file:
            whole.update(f"{clip.label} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def collect_windows(
    report: CompileReport, clips: Sequence[LabeledClip], limits: AudioLimits, max_whole_clip_seconds: float
) -> tuple[list[NDArray[np.float32]], float]:
    """Windows of all clips as the model of `report` cuts them, at most MOST_WINDOWS and evenly spread, and the seconds
    of sound that were heard. For a model on YAMNet a window is a log-mel patch float32 [96, 64].
    """
    tensor = _read_input(report)
    framing, _ = choose_framing(report.spec, tensor)
    found: list[NDArray[np.float32]] = []
    seconds = 0.0
    for clip in clips:
        cutter = framing.make_cutter(max_whole_clip_seconds)
        with clip.path.open("rb") as file:
            for block in open_clip(file, limits).iter_blocks(framing.rate):
                found += [window for _, window in cutter.push(block)]
        found += [window for _, window in cutter.finish()]
        seconds += cutter.total / framing.rate
    chosen = np.linspace(0, len(found) - 1, min(MOST_WINDOWS, len(found))).astype(int)
    return [found[index] for index in chosen], seconds


def build_feeds(report: CompileReport, windows: Sequence[NDArray[np.float32]]) -> Iterator[NDArray[np.generic]]:
    """The windows as the graph takes them, in batches of 16, of its own size, or alone where lengths differ."""
    if report.spec.input.on_backbone:
        layout = None
        size = _BATCH
    else:
        _, layout = choose_framing(report.spec, _read_input(report))
        size = _choose_batch_size(layout, windows)
    for start in range(0, len(windows), size):
        items = np.stack(windows[start : start + size])
        yield items if layout is None else layout.arrange(items)


def _choose_batch_size(layout: Layout, windows: Sequence[NDArray[np.float32]]) -> int:
    if len({window.shape for window in windows}) > 1:
        return 1
    return layout.batch or _BATCH


def _read_input(report: CompileReport) -> Tensor:
    [signature] = report.inputs
    return Tensor(signature.name, np.dtype(signature.dtype), signature.shape)
