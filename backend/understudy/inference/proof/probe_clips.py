"""Make recordings that show how a model behaves on sound that no training set holds."""

import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from understudy.audio.decoding.audio_limits import ABSURD_PEAK
from understudy.audio.demo_clips import FOLDER
from understudy.schemas.compiler.spec import Spec

Array = NDArray[np.float32]

# A longer window is filled up with silence: the probes must stay quick.
_LONGEST_SECONDS = 3.0
_WHOLE_CLIP_SECONDS = 1.0
_SHORTEST_SECONDS = 0.05
_SEVERAL_WINDOWS = 2.5
_LONG_SECONDS = 10.0
_MOST_SECONDS = 30.0
_UNKNOWN_RATE = 16_000
_OTHER_RATE = 44_100
_DEMO_CLIPS = 2
_WAVE_FORMAT_IEEE_FLOAT = 3


@dataclass(frozen=True)
class ProbeClip:
    """A recording, and what it is in words.

    `comparable`: the probe is as long as the others that are, so it should take as long. `absurd`: no microphone
    records this, so a model may refuse it.
    """

    name: str
    content: bytes
    comparable: bool = True
    absurd: bool = False


def make_probe_clips(spec: Spec, max_seconds: float) -> list[ProbeClip]:
    """Return the probes for a model on sound; none is longer than `max_seconds`.

    Most are one window long, at most 3 s; one second for a model that takes the whole clip.
    """
    rate = _UNKNOWN_RATE if spec.sample_rate == "file" else spec.sample_rate
    window = spec.window_seconds or _WHOLE_CLIP_SECONDS
    generator = np.random.default_rng(20_26)
    count = max(1, round(min(window, _LONGEST_SECONDS, max_seconds) * rate))
    clips = [
        ProbeClip(name, _encode(samples, rate), absurd=absurd)
        for name, samples, absurd in _make_signals(count, generator)
    ]
    short = round(min(_SHORTEST_SECONDS, max_seconds) * rate)
    clips.append(
        ProbeClip(
            f"a recording of {_SHORTEST_SECONDS:g} s", _encode(_make_noise(short, generator), rate), comparable=False
        )
    )
    longest = _SEVERAL_WINDOWS * window if spec.window_seconds else _LONG_SECONDS
    seconds = min(longest, _MOST_SECONDS, max_seconds)
    stereo = _make_noise(round(seconds * _OTHER_RATE) * 2, generator).reshape(-1, 2)
    clips.append(
        ProbeClip(f"a stereo recording of {seconds:.3g} s at 44.1 kHz", _encode(stereo, _OTHER_RATE), comparable=False)
    )
    demo = [
        ProbeClip(f"the demo clip {path.name}", path.read_bytes(), comparable=False)
        for path in sorted(FOLDER.glob("*.wav"))[:_DEMO_CLIPS]
        if _measure_seconds(path) <= max_seconds
    ]
    return clips + demo


def _make_signals(count: int, generator: "np.random.Generator") -> Iterator[tuple[str, Array, bool]]:
    """Yield a name, `count` samples, and whether the signal is absurd."""
    sign = _alternate(count, 1)
    noise = _make_noise(count, generator)
    yield "noise", noise, False
    yield "digital silence", np.zeros(count, np.float32), False
    yield "a full-scale square wave", _alternate(count, 16), False
    yield "a click in silence", (np.arange(count) == count // 2).astype(np.float32), False
    yield "a constant offset", np.full(count, 0.5, np.float32), False
    yield "sound of one 16-bit step", sign / np.float32(32768), False
    yield "clipped noise", (noise * 20).clip(-1, 1), False
    yield "samples far beyond full scale", sign * np.float32(ABSURD_PEAK), True


def _alternate(count: int, samples: int) -> Array:
    """Return a square wave that changes its sign after each `samples` samples."""
    return np.where(np.arange(count) // samples % 2, -1, 1).astype(np.float32)


def _make_noise(count: int, generator: "np.random.Generator") -> Array:
    return (0.1 * generator.standard_normal(count)).clip(-1, 1).astype(np.float32)


def _measure_seconds(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def _encode(samples: Array, rate: int) -> bytes:
    """Return samples float32 [n] or [n, channels] as a wav file of 32-bit floats, which needs no library."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    data = samples.astype("<f4").tobytes()
    layout = struct.pack("<HHIIHH", _WAVE_FORMAT_IEEE_FLOAT, channels, rate, rate * channels * 4, channels * 4, 32)
    fact = struct.pack("<I", len(samples))
    chunks = [(b"fmt ", layout), (b"fact", fact), (b"data", data)]
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body
