"""Gather the sounds that the starter model is trained on, with YAMNet's output for each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import soxr
from numpy.typing import NDArray

from understudy.audio.features.log_mel import compute_log_mel
from understudy.audio.opening import AudioLimits, open_clip
from understudy.files.regular_file import open_regular
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.training.clips.synthesis import OTHERS, SOUNDS, synthesize
from understudy.training.recordings import Recording
from understudy.yamnet.constants import FRAME_HOP_SAMPLES, FRAME_SAMPLES, PATCH_FRAMES, SAMPLE_RATE

WINDOW_STEP = 24
"""Frames from one training window to the next: half of the server's hop, so that a sound appears at more positions."""

_BATCH = 16
_SECONDS = 5.0
_Samples = NDArray[np.float32]


class SoundKind(StrEnum):
    """The origin of a sound, which decides how reliable its label is for each of its windows."""

    RECORDED = "recorded"
    RESAMPLED = "resampled"
    MIXED = "mixed"
    SYNTHESIZED = "synthesized"


@dataclass(frozen=True)
class Sound:
    """The windows of one sound, one every WINDOW_STEP frames, and YAMNet's output for them.

    `patches` float32 [windows, 96, 64], `embeddings` float32 [windows, 1024], `scores` float32 [windows, 521]. `label`
    is None for a sound that has none of the labels.
    """

    label: str | None
    fold: str
    kind: SoundKind
    patches: NDArray[np.float32]
    embeddings: NDArray[np.float32]
    scores: NDArray[np.float32]


def gather(recordings: Sequence[Recording], backbone: YamnetBackbone, synthesized: int, seed: int) -> Iterator[Sound]:
    """Yield the recordings, then varied copies of them, then `synthesized` sounds of each synthesized kind.

    A copy stays in the fold of its recording and is mixed only with recordings of that fold. Raises what opening a
    recording raises.
    """
    rng = np.random.default_rng(seed)
    waveforms = [_decode(recording) for recording in recordings]
    for recording, waveform in zip(recordings, waveforms, strict=True):
        yield _make_sound(recording.label, recording.fold, SoundKind.RECORDED, waveform, backbone)
    for recording, waveform in zip(recordings, waveforms, strict=True):
        mates = [index for index, mate in enumerate(recordings) if mate.fold == recording.fold]
        other = _stretch(waveforms[rng.choice(mates)], rng)
        mixed = _mix(_stretch(waveform, rng), other * 10 ** rng.uniform(-1, 0.2))
        yield _make_sound(recording.label, recording.fold, SoundKind.MIXED, _apply_random_gain(mixed, rng), backbone)
        alone = _apply_random_gain(_stretch(waveform, rng), rng)
        yield _make_sound(recording.label, recording.fold, SoundKind.RESAMPLED, alone, backbone)
    folds = sorted({recording.fold for recording in recordings})
    for name in [*SOUNDS, *OTHERS]:
        for number in range(synthesized):
            waveform = synthesize(name, _SECONDS, seed=number)
            label = name if name in SOUNDS else None
            yield _make_sound(label, folds[number % len(folds)], SoundKind.SYNTHESIZED, waveform, backbone)


def cut_served_windows(sound: Sound) -> NDArray[np.float32]:
    """Return the patches that the server cuts: every second one."""
    return sound.patches[::2]


def _decode(recording: Recording) -> _Samples:
    limits = AudioLimits(max_seconds=3600)
    with open_regular(recording.path) as file, open_clip(file, limits, strict=True) as clip:
        return np.concatenate(list(clip.iter_blocks(SAMPLE_RATE)))


def _make_sound(label: str | None, fold: str, kind: SoundKind, waveform: _Samples, backbone: YamnetBackbone) -> Sound:
    size, step = (PATCH_FRAMES - 1) * FRAME_HOP_SAMPLES + FRAME_SAMPLES, 2 * WINDOW_STEP * FRAME_HOP_SAMPLES
    hops = max(0, -(-(len(waveform) - size) // step))
    frames = compute_log_mel(np.pad(waveform, (0, size + hops * step - len(waveform))))
    patches = np.stack([frames[at : at + PATCH_FRAMES] for at in range(0, len(frames) - PATCH_FRAMES + 1, WINDOW_STEP)])
    heard = [backbone.run(patches[at : at + _BATCH]) for at in range(0, len(patches), _BATCH)]
    embeddings, scores = (np.concatenate(part) for part in zip(*heard, strict=True))
    return Sound(label, fold, kind, patches, embeddings, scores)


def _stretch(waveform: _Samples, rng: np.random.Generator) -> _Samples:
    """Play faster or slower by up to 18 %, which changes the pitch too; keeps at most five seconds."""
    return np.asarray(
        soxr.resample(waveform, SAMPLE_RATE * rng.uniform(0.85, 1.18), SAMPLE_RATE)[: int(_SECONDS * SAMPLE_RATE)]
    )


def _mix(first: _Samples, second: _Samples) -> _Samples:
    total = np.zeros(max(len(first), len(second)), dtype=np.float32)
    total[: len(first)] += first
    total[: len(second)] += second
    return total


def _apply_random_gain(waveform: _Samples, rng: np.random.Generator) -> _Samples:
    return np.asarray(np.clip(waveform * 10 ** rng.uniform(-1.2, 0.3), -1, 1), dtype=np.float32)
