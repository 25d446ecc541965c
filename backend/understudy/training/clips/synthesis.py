"""Compute sounds from formulas, for the training of the starter model and for the demo clips.

Each function draws its parameters (rates, pitches, decays, levels) from the random generator that it receives. A seed
therefore always gives the same sound, and different seeds give audibly different sounds of the same kind.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from understudy.yamnet.constants import SAMPLE_RATE

Waveform = NDArray[np.float32]
_Samples = NDArray[np.float64]
_QUIET = 0.02
_Maker = Callable[[int, np.random.Generator], _Samples]


def synthesize(kind: str, seconds: float, seed: int) -> Waveform:
    """Return one sound float32 [round(seconds * 16000)] in [-1, 1] at 16 kHz; `kind` is a key of SOUNDS or OTHERS."""
    rng = np.random.default_rng([seed, *kind.encode()])
    samples = (SOUNDS | OTHERS)[kind](round(seconds * SAMPLE_RATE), rng)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > _QUIET:
        samples = samples * (rng.uniform(0.1, 0.8) / peak)
        samples = samples + _make_noise(len(samples), rng, 100, 6_000) * 10 ** rng.uniform(-4.0, -2.7)
    return np.clip(samples, -1, 1).astype(np.float32)


def _make_noise(count: int, rng: np.random.Generator, low: float, high: float) -> _Samples:
    """Return noise between `low` and `high` Hz with a root mean square of 1."""
    band = butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos")
    samples = sosfilt(band, rng.standard_normal(count))
    return np.asarray(samples / np.sqrt(np.mean(samples**2) + 1e-12), dtype=np.float64)


def _make_decay(count: int, seconds: float) -> _Samples:
    """Return exp(-t / seconds), the envelope of a struck object."""
    return np.exp(-np.arange(count) / (seconds * SAMPLE_RATE))


def _draw_poisson_positions(count: int, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return sorted sample positions of independent events, on average `rate` in a second."""
    return np.sort(rng.integers(0, count, rng.poisson(rate * count / SAMPLE_RATE)))


def _place(samples: _Samples, start: int, grain: _Samples) -> None:
    """Add `grain` to `samples` in place from index `start` on, and cut what exceeds the end."""
    stop = min(start + len(grain), len(samples))
    samples[start:stop] += grain[: stop - start]


def _make_rain(count: int, rng: np.random.Generator) -> _Samples:
    """A hiss of distant drops with near drops on top of it."""
    samples = _make_noise(count, rng, rng.uniform(300, 1_200), rng.uniform(5_500, 7_800))
    for start in _draw_poisson_positions(count, rng.uniform(20, 200), rng):
        length = int(rng.uniform(0.004, 0.02) * SAMPLE_RATE)
        ring = np.sin(2 * np.pi * rng.uniform(1_000, 6_000) * np.arange(length) / SAMPLE_RATE)
        _place(samples, start, ring * _make_decay(length, rng.uniform(0.001, 0.005)) * rng.exponential(2.5))
    return samples


def _make_sea_waves(count: int, rng: np.random.Generator) -> _Samples:
    """Broad noise that swells and breaks: the brighter part follows the louder."""
    time = np.arange(count) / SAMPLE_RATE
    phase = time / rng.uniform(3.5, 8) + rng.random()
    swell = (0.5 - 0.5 * np.cos(2 * np.pi * (phase % 1) ** rng.uniform(0.6, 1.0))) ** rng.uniform(1.0, 2.0)
    body = _make_noise(count, rng, 60, rng.uniform(900, 1_800))
    foam = _make_noise(count, rng, rng.uniform(600, 1_500), rng.uniform(4_000, 7_000))
    return body * (0.3 + swell) + foam * rng.uniform(0.25, 0.6) * swell**2


def _make_fire_crackling(count: int, rng: np.random.Generator) -> _Samples:
    """Sharp cracks of very different strength over a soft roar."""
    samples = _make_noise(count, rng, 60, rng.uniform(300, 900)) * rng.uniform(0.02, 0.12)
    for start in _draw_poisson_positions(count, rng.uniform(8, 35), rng):
        length = int(rng.uniform(0.003, 0.03) * SAMPLE_RATE)
        crack = _make_noise(length + 64, rng, rng.uniform(500, 2_000), rng.uniform(4_000, 7_800))[64:]
        _place(samples, start, crack * _make_decay(length, rng.uniform(0.0008, 0.006)) * rng.lognormal(-1.2, 0.9))
    return samples


def _make_clock_tick(count: int, rng: np.random.Generator) -> _Samples:
    """Two alternating clicks at an even pace, each a burst of noise and a few strongly damped resonances."""
    samples = np.zeros(count)
    step = SAMPLE_RATE / rng.uniform(1.5, 5.0)
    length = int(0.05 * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    voices = []
    for _ in range(2):
        low = rng.uniform(1_000, 2_500)
        voice = _make_noise(length, rng, low, low + rng.uniform(2_000, 5_000)) * _make_decay(
            length, rng.uniform(0.001, 0.004)
        )
        for _ in range(rng.integers(1, 4)):
            ring = np.sin(2 * np.pi * rng.uniform(800, 5_000) * time)
            voice += ring * _make_decay(length, rng.uniform(0.001, 0.004)) * rng.uniform(0.2, 0.8)
        bounce = int(rng.uniform(0.008, 0.02) * SAMPLE_RATE)
        voice[bounce:] += rng.uniform(0.2, 0.7) * voice[:-bounce]
        voices.append(voice)
    for index, start in enumerate(np.arange(rng.uniform(0, step), count, step)):
        _place(samples, int(start), voices[index % 2] * rng.uniform(0.9, 1.1))
    return samples


def _make_helicopter(count: int, rng: np.random.Generator) -> _Samples:
    """Blade slaps of low noise at an even rate, over the wash of air and a turbine."""
    time = np.arange(count) / SAMPLE_RATE
    phase = (time * rng.uniform(10, 18)) % 1
    slap = np.minimum(1, phase / 0.12) * np.exp(-phase * rng.uniform(2, 4))
    samples = _make_noise(count, rng, 40, rng.uniform(300, 800)) * (rng.uniform(0.25, 0.5) + slap)
    samples += _make_noise(count, rng, 300, rng.uniform(1_500, 4_000)) * rng.uniform(0.2, 0.45) * (0.4 + slap)
    flyover = 0.6 + 0.4 * np.sin(2 * np.pi * (time / rng.uniform(8, 20) + rng.random()))
    return samples * flyover


def _make_alarm_beep(count: int, rng: np.random.Generator) -> _Samples:
    """Electronic beeps: one or two tones with harmonics, switched at an even rhythm, sometimes in groups."""
    time = np.arange(count) / SAMPLE_RATE
    tone = rng.uniform(700, 3_800)
    tones = [tone, tone * rng.choice([1.0, 1.0, 0.8, 1.25])]
    length = int(rng.uniform(0.06, 0.4) * SAMPLE_RATE)
    gap = int(rng.uniform(0.05, 0.5) * SAMPLE_RATE)
    group, rest = int(rng.integers(1, 5)), int(rng.choice([0.0, rng.uniform(0.2, 0.6)]) * SAMPLE_RATE)
    strengths = [1.0, *(rng.uniform(0, 0.6, 3))]
    edge = np.minimum(1, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.004 * SAMPLE_RATE))
    samples = np.zeros(count)
    start, beep = int(rng.integers(0, gap + 1)), 0
    while start < count:
        pitch = tones[beep % 2]
        beep_time = time[:length]
        harmonics = (
            strength * np.sin(2 * np.pi * pitch * order * beep_time)
            for order, strength in enumerate(strengths, start=1)
            if pitch * order < SAMPLE_RATE / 2
        )
        _place(samples, start, edge * np.sum(list(harmonics), axis=0))
        beep += 1
        start += length + gap + (rest if beep % group == 0 else 0)
    return samples


def _make_quiet(count: int, rng: np.random.Generator) -> _Samples:
    """Digital silence, or a room's faint noise."""
    if rng.random() < 0.3:
        return np.zeros(count)
    return _make_noise(count, rng, rng.uniform(30, 200), rng.uniform(1_000, 7_000)) * 10 ** rng.uniform(-4.5, -2.7)


def _make_hum(count: int, rng: np.random.Generator) -> _Samples:
    """Mains hum with its harmonics."""
    time = np.arange(count) / SAMPLE_RATE
    base = rng.choice([50.0, 60.0])
    orders = np.arange(1, 12)[:, None]
    strengths = rng.exponential(1 / orders)
    hum: _Samples = np.sum(strengths * np.sin(2 * np.pi * base * orders * time), axis=0)
    return hum


def _make_melody(count: int, rng: np.random.Generator) -> _Samples:
    """Plucked notes in chords: tonal like a beep, but decaying, in tune and unevenly paced."""
    samples = np.zeros(count)
    for start in _draw_poisson_positions(count, rng.uniform(2, 6), rng):
        length = int(rng.uniform(0.3, 1.5) * SAMPLE_RATE)
        pitch = 220 * 2 ** (rng.integers(-12, 19) / 12)
        time = np.arange(length) / SAMPLE_RATE
        note = np.sum([np.sin(2 * np.pi * pitch * k * time) / k**1.5 for k in range(1, 6)], axis=0)
        _place(samples, start, note * _make_decay(length, rng.uniform(0.1, 0.5)))
    return samples


SOUNDS: dict[str, _Maker] = {
    "alarm_beep": _make_alarm_beep,
    "clock_tick": _make_clock_tick,
    "fire_crackling": _make_fire_crackling,
    "helicopter": _make_helicopter,
    "rain": _make_rain,
    "sea_waves": _make_sea_waves,
}
"""Kinds whose name is their label."""

OTHERS: dict[str, _Maker] = {"quiet": _make_quiet, "hum": _make_hum, "melody": _make_melody}
"""Kinds without a label, which a model must not take for a labeled kind."""
