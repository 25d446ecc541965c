"""Compute features of examples, and keep what several specs of a search share."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from understudy.audio.features.front_end import Feature, build_feature
from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.reduction import SpectralFeature
from understudy.audio.features.spectral.stft import ShortTimeTransform, Spectra
from understudy.audio.opening import AudioLimits, open_clip
from understudy.audio.sound.preparation import prepare_sound
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import FrontEndPart, MelPart, MfccPart
from understudy.schemas.front_end.sound import Channels, Sound
from understudy.schemas.front_end.spectrum import Stft

Array = NDArray[np.float32]
Sampled = tuple[Array, int]
T = TypeVar("T")
_Blocks = list[tuple[slice, Spectra]]
_BYTES_KEPT = 384 << 20
_LARGEST_SHARE = 8  # a value above this part of the memory is not kept
_FEATURES_KEPT = 256


class ExampleFeatures:
    """Decodes each clip once, resamples it once for each rate and resampler, and transforms it once for each framing.

    Bands, logarithms, coefficients and statistics are then computed from spectra that are already there. At most about
    _BYTES_KEPT bytes are kept; what was used longest ago goes first. For one thread.
    """

    def __init__(self, clips: Sequence[bytes], limits: AudioLimits, max_whole_clip_seconds: float) -> None:
        self._clips = clips
        self._limits = limits
        self._max_seconds = max_whole_clip_seconds
        self._kept: LRUCache[object, Any] = LRUCache(_BYTES_KEPT, getsizeof=_measure_bytes)
        self._features: LRUCache[tuple[FrontEndPart, int], Feature] = LRUCache(_FEATURES_KEPT)

    def read_samples(self, clip: int, sound: Sound, target: int | None) -> Sampled:
        """Return the prepared samples float32 [n] of a clip and their rate in Hz; `target` None keeps the clip's rate.

        Raises what opening a clip and `prepare_sound` raise, and SpecInvalid for a clip too long to be taken whole.
        """
        return self._keep(("samples", clip, sound, target), lambda: self._prepare(clip, sound, target))

    def compute(self, clip: int, sound: Sound, target: int | None, parts: Sequence[FrontEndPart]) -> list[Array]:
        """Return the features of each part float32 [frames, features], as `FrontEnd.compute` does.

        Raises what `read_samples`, `build_feature` and the features raise.
        """
        return [self._compute_part(clip, sound, target, part.model_copy(update={"pooling": None})) for part in parts]

    def _prepare(self, clip: int, sound: Sound, target: int | None) -> Sampled:
        mono, rate = self._decode(clip, sound.channels, rounded=sound.round_to_16_bit)
        return prepare_sound(mono, rate, sound, target)

    def _decode(self, clip: int, channels: Channels, *, rounded: bool) -> Sampled:
        def decode() -> Sampled:
            with open_clip(BytesIO(self._clips[clip]), self._limits) as opened:
                rate, sound = opened.rate, Sound(channels=channels, round_to_16_bit=rounded)
                mono = np.concatenate(list(opened.iter_blocks(rate, sound)))
            if len(mono) > self._max_seconds * rate:
                raise SpecInvalid(f"The example is longer than {self._max_seconds:g} s.")
            return mono, rate

        return self._keep(("mono", clip, channels, rounded), decode)

    def _compute_part(self, clip: int, sound: Sound, target: int | None, part: FrontEndPart) -> Array:
        def compute() -> Array:
            samples, rate = self.read_samples(clip, sound, target)
            feature = self._build(part, rate)
            if isinstance(feature, SampleFeature):
                return feature.compute(samples)
            stft, spectral = feature
            if isinstance(part, MelPart | MfccPart):  # their bands are the same whatever is made of them
                bands = ("bands", clip, sound, target, stft, part.mel, spectral.double)
                return spectral.finish(self._keep(bands, lambda: self._reduce(clip, sound, target, *feature)).copy())
            return spectral.finish(self._reduce(clip, sound, target, stft, spectral))

        return self._keep(("part", clip, sound, target, part), compute)

    def _reduce(self, clip: int, sound: Sound, target: int | None, stft: Stft, feature: SpectralFeature) -> Array:
        """Return the values of all frames before `finish`."""
        blocks = self._transform(clip, sound, target, stft.model_copy(update={"power": 1.0}), feature.double)
        values = np.empty((blocks[-1][0].stop, feature.width), np.float32)
        for place, spectra in blocks:
            feature.reduce(spectra, values[place])
        return values

    def _transform(self, clip: int, sound: Sound, target: int | None, stft: Stft, double: bool) -> _Blocks:
        def transform() -> _Blocks:
            samples, _ = self.read_samples(clip, sound, target)
            return list(ShortTimeTransform(stft, double=double).transform(samples))

        return self._keep(("spectra", clip, sound, target, stft, double), transform)

    def _build(self, part: FrontEndPart, rate: int) -> Feature:
        feature = self._features.get((part, rate))
        if feature is None:
            feature = self._features[part, rate] = build_feature(part, rate)
        return feature

    def _keep(self, key: object, compute: Callable[[], T]) -> T:
        found: T | None = self._kept.get(key)
        if found is None:
            found = compute()
            if _measure_bytes(found) <= _BYTES_KEPT // _LARGEST_SHARE:
                self._kept[key] = found
        return found


def _measure_bytes(value: Any) -> int:
    """Return the bytes of an array, of samples with their rate, or of spectra with two of their powers."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, tuple):
        return int(value[0].nbytes)
    return sum(2 * spectra.to_power(2.0).nbytes for _, spectra in value)
