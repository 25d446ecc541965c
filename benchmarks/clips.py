"""The recordings that everyone is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.networks import data_folder

SECONDS = (1, 5, 10, 60)
_RATE = 44_100


@dataclass(frozen=True)
class Kind:
    """A way to keep sound: container, codec and rate in Hz. All are mono."""

    name: str
    rate: int
    format: str
    subtype: str
    suffix: str

    @property
    def content_type(self) -> str:
        return "audio/mpeg" if self.suffix == "mp3" else f"audio/{self.suffix}"


KINDS = (
    Kind("wav 16 kHz", 16_000, "WAV", "PCM_16", "wav"),
    Kind("wav 44.1 kHz", _RATE, "WAV", "PCM_16", "wav"),
    Kind("ogg 44.1 kHz", _RATE, "OGG", "VORBIS", "ogg"),
    Kind("mp3 44.1 kHz", _RATE, "MP3", "MPEG_LAYER_III", "mp3"),
)


@dataclass(frozen=True)
class ClipFile:
    """One recording on disk."""

    seconds: int
    kind: Kind
    path: Path

    @property
    def name(self) -> str:
        return f"{self.seconds} s {self.kind.name}"

    def read(self) -> bytes:
        return self.path.read_bytes()


def write_clips(folder: Path) -> list[ClipFile]:
    """Every length in every kind, cut from the same minute of sound."""
    folder.mkdir(parents=True, exist_ok=True)
    minute = _minute()
    return [_write(folder, minute[: seconds * _RATE], seconds, kind) for seconds in SECONDS for kind in KINDS]


def _write(folder: Path, samples: NDArray[np.float32], seconds: int, kind: Kind) -> ClipFile:
    path = folder / f"{seconds}s-{kind.rate}.{kind.suffix}"
    if kind.rate != _RATE:
        samples = np.asarray(soxr.resample(samples, _RATE, kind.rate), np.float32)
    with soundfile.SoundFile(path, "w", kind.rate, 1, subtype=kind.subtype, format=kind.format) as file:
        for start in range(0, len(samples), kind.rate):  # libsndfile's Vorbis crashes on a minute at once
            file.write(samples[start : start + kind.rate])
    return ClipFile(seconds, kind, path)


def _minute() -> NDArray[np.float32]:
    """float32 [60 s at 44.1 kHz]: recordings of ESC-10 where they are, else chirps in noise."""
    length = max(SECONDS) * _RATE
    folder = data_folder()
    recorded = list(_recordings(folder, length)) if folder else []
    if recorded:
        return np.resize(np.concatenate(recorded), length)
    time = np.arange(length) / _RATE
    noise = np.random.default_rng(0).normal(0, 0.02, length)
    return np.asarray(0.3 * np.sin(2 * np.pi * (300 + 200 * np.sin(time)) * time) + noise, np.float32)


def _recordings(folder: Path, length: int) -> Iterator[NDArray[np.float32]]:
    read = 0
    for path in sorted(folder.glob("esc10/*/1-*.ogg")):
        samples, rate = soundfile.read(path, dtype="float32")
        if rate == _RATE and samples.ndim == 1 and read < length:
            read += len(samples)
            yield samples
