"""Select recordings to calibrate and compare an int8 variant on, and turn them into inputs of a graph."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.audio.opening import AudioLimits, open_clip
from understudy.audio.suffixes import SUFFIXES
from understudy.errors import TrainingDataInvalid
from understudy.files.regular_file import open_regular
from understudy.inference.clip_input.clip_samples import iter_samples
from understudy.inference.clip_input.cutters import CutItems
from understudy.inference.clip_input.input_layout import Layout
from understudy.inference.clip_input.model_input import choose_model_input
from understudy.inference.clip_input.yamnet_backbone import YamnetFrontEnd
from understudy.inference.int8.variant_agreement import LabeledClip
from understudy.inference.runtime.tensor_signature import GraphTensor
from understudy.schemas.compiler.report import CompileReport

MOST_WINDOWS = 256
_BATCH = 16
_CALIBRATING_SHARE = 0.4
_FEWEST_TO_SPLIT = 10


def find_clips(folder: Path) -> list[LabeledClip]:
    """Return the recordings in `folder` and its sub-folders, sorted by path; the name of a sub-folder is the label.

    Raises TrainingDataInvalid when the folder holds no recordings.
    """
    found = [
        LabeledClip(path, None if path.parent == folder else path.parent.name)
        for path in sorted([*folder.glob("*"), *folder.glob("*/*")])
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    if not found:
        raise TrainingDataInvalid(
            f"{folder} holds no recordings.",
            remedy="Give --clips a folder of recordings, or a folder with one sub-folder of recordings for each label.",
        )
    return found


def split(clips: Sequence[LabeledClip]) -> tuple[list[LabeledClip], list[LabeledClip]]:
    """Return the clips to calibrate on and the clips to compare on.

    In order of their names, the first 40 % of each label's clips go into the first list and the rest into the second.
    Names that begin with a fold or a source therefore keep related clips together. Fewer than ten clips go into both.
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
    """Return the SHA-256 over the label and the SHA-256 of each clip, in their order."""
    whole = hashlib.sha256()
    for clip in clips:
        with open_regular(clip.path) as file:
            whole.update(f"{clip.label} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def collect_windows(
    report: CompileReport, clips: Sequence[LabeledClip], limits: AudioLimits, max_whole_clip_seconds: float
) -> tuple[list[NDArray[np.float32]], float]:
    """Return windows of the clips as the model of `report` cuts them, and the seconds of sound in all clips.

    The list holds at most MOST_WINDOWS windows float32 [*item], evenly spread over the clips. For a model on YAMNet's
    embeddings or scores a window is a log-mel patch float32 [96, 64]. Raises what opening and reading a clip raise.
    """
    tensor = _read_input(report)
    taken = choose_model_input(report.spec, tensor, YamnetFrontEnd())
    found: list[NDArray[np.float32]] = []
    seconds = 0.0
    for clip in clips:
        with open_regular(clip.path) as file:
            opened = open_clip(file, limits)
            rate = taken.framing.rate or opened.rate
            cutter = taken.framing.make_cutter(max_whole_clip_seconds, rate)
            for block in iter_samples(opened, report.spec.sound, rate, max_whole_clip_seconds):
                found += _list_windows(cutter.push(block), grouped=taken.grouped)
        found += _list_windows(cutter.finish(), grouped=taken.grouped)
        seconds += cutter.total / rate
    chosen = np.linspace(0, len(found) - 1, min(MOST_WINDOWS, len(found))).astype(int)
    return [found[index] for index in chosen], seconds


def build_feeds(report: CompileReport, windows: Sequence[NDArray[np.float32]]) -> Iterator[NDArray[np.generic]]:
    """Yield the windows as the graph takes them.

    A batch has the size that the graph fixes, or else 16 windows; windows of different lengths are yielded one by one.
    For a model on YAMNet's embeddings or scores the batches are log-mel patches float32 [n, 96, 64].
    """
    if report.spec.input.on_backbone:
        layout = None
        size = _BATCH
    else:
        layout = choose_model_input(report.spec, _read_input(report)).layout
        size = _choose_batch_size(layout, windows)
    for start in range(0, len(windows), size):
        items = np.stack(windows[start : start + size])
        yield items if layout is None else layout.arrange(items)


def _list_windows(items: CutItems, *, grouped: bool) -> list[NDArray[np.float32]]:
    windows = [window for _, window in items]
    return [patch for window in windows for patch in window] if grouped else windows


def _choose_batch_size(layout: Layout, windows: Sequence[NDArray[np.float32]]) -> int:
    if len({window.shape for window in windows}) > 1:
        return 1
    return layout.batch or _BATCH


def _read_input(report: CompileReport) -> GraphTensor:
    [signature] = report.inputs
    return GraphTensor(signature.name, np.dtype(signature.dtype), signature.shape)
