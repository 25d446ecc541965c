"""Compute the features that a model's spec names from mono samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.sample_feature import SampleFeature
from understudy.audio.features.spectral.contrast import ContrastFeature
from understudy.audio.features.spectral.frame_values import (
    BandwidthFeature,
    CentroidFeature,
    FlatnessFeature,
    RmsFeature,
    RolloffFeature,
    ZeroCrossingFeature,
)
from understudy.audio.features.spectral.mel import MelFeature, MfccFeature
from understudy.audio.features.spectral.reduction import SpectralFeature, StftFeature
from understudy.audio.features.spectral.stft import ShortTimeTransform
from understudy.audio.features.speech.kaldi_filterbank import KaldiFilterbank
from understudy.audio.features.speech.speech_features import SpeechFeatures
from understudy.audio.features.tonal.chroma import ChromaFeature
from understudy.audio.features.tonal.chroma_cqt import ChromaCqtFeature
from understudy.audio.features.tonal.tonnetz import TonnetzFeature
from understudy.errors import SpecInvalid
from understudy.schemas.front_end.parts import (
    ChromaCqtPart,
    ChromaPart,
    ContrastPart,
    FrameValuePart,
    FrontEndPart,
    KaldiFilterbankPart,
    MelPart,
    MfccPart,
    SpeechFeaturesPart,
    StftPart,
    TonnetzPart,
    WaveformPart,
    YamnetPart,
)
from understudy.schemas.front_end.spectrum import Stft


class _SharedTransform:
    """The parts that take the same spectra, with their places among all parts."""

    def __init__(self, stft: Stft, features: list[tuple[int, SpectralFeature]]) -> None:
        self._transform = ShortTimeTransform(stft, double=any(feature.double for _, feature in features))
        self._features = features

    def compute(self, samples: NDArray[np.float32]) -> list[tuple[int, NDArray[np.float32]]]:
        """Return the parts' places and features. Raises AudioUnusable when the clip is too short for one frame."""
        count = self._transform.count_frames(len(samples))
        values = [np.empty((count, feature.width), np.float32) for _, feature in self._features]
        for place, spectra in self._transform.transform(samples):
            for (_, feature), out in zip(self._features, values, strict=True):
                feature.reduce(spectra, out[place])
        return [(index, feature.finish(found)) for (index, feature), found in zip(self._features, values, strict=True)]


class FrontEnd:
    """The parts of a spec at one sample rate. Tables are built once; a clip takes only transforms and sums."""

    def __init__(self, parts: Sequence[FrontEndPart], rate: int) -> None:
        """Build the tables for samples at `rate` Hz.

        Raises SpecInvalid when a part does not fit the rate, or when another step computes it (waveform, yamnet).
        """
        self._of_samples: list[tuple[int, SampleFeature]] = []
        shared: dict[Stft, list[tuple[int, SpectralFeature]]] = {}
        for index, part in enumerate(parts):
            feature = build_feature(part, rate)
            if isinstance(feature, SampleFeature):
                self._of_samples.append((index, feature))
            else:
                stft, spectral = feature
                # Parts share a transform also where they take different powers of its magnitudes.
                shared.setdefault(stft.model_copy(update={"power": 1.0}), []).append((index, spectral))
        self._shared = [_SharedTransform(stft, features) for stft, features in shared.items()]

    def compute(self, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return the features of each part in their order, float32 [frames, features], from mono `samples` [n].

        Raises AudioUnusable when the clip is too short for one frame or for the deltas of a part.
        """
        found = {index: feature.compute(samples) for index, feature in self._of_samples}
        for transform in self._shared:
            found.update(transform.compute(samples))
        return [found[index] for index in range(len(found))]


Feature = SampleFeature | tuple[Stft, SpectralFeature]


def build_feature(part: FrontEndPart, rate: int) -> Feature:
    """Return the feature of a part at `rate` Hz, with the transform that it takes if it takes one.

    Raises SpecInvalid when the part does not fit the rate, or when another step computes it (waveform, yamnet).
    """
    match part:
        case StftPart():
            return part.stft, StftFeature(part)
        case MelPart():
            return part.stft, MelFeature.from_part(part, rate)
        case MfccPart():
            return part.stft, MfccFeature(part, rate)
        case ContrastPart():
            return part.stft, ContrastFeature(part, rate)
        case ChromaPart():
            return part.stft, ChromaFeature(part, rate)
        case ChromaCqtPart():
            return ChromaCqtFeature(part, rate)
        case TonnetzPart():
            return TonnetzFeature(part, rate)
        case FrameValuePart():
            return _build_frame_value(part, rate)
        case SpeechFeaturesPart():
            return SpeechFeatures(part, rate)
        case KaldiFilterbankPart():
            return KaldiFilterbank(part, rate)
        case WaveformPart() | YamnetPart():
            raise SpecInvalid(
                f"The part {part.kind} cannot be joined with others.", remedy="Correct `front_end` in the model's spec."
            )


def _build_frame_value(part: FrameValuePart, rate: int) -> Feature:
    match part.kind:
        case "rms":
            return RmsFeature(part)
        case "zero_crossing_rate":
            return ZeroCrossingFeature(part)
        case "spectral_centroid":
            return part.stft, CentroidFeature(part, rate)
        case "spectral_bandwidth":
            return part.stft, BandwidthFeature(part, rate)
        case "spectral_rolloff":
            return part.stft, RolloffFeature(part, rate)
        case "spectral_flatness":
            return part.stft, FlatnessFeature(part)


def join(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the parts' features side by side, float32 [frames, sum of features].

    Raises SpecInvalid when the parts differ in their number of frames.
    """
    first = parts[0]
    for place, other in enumerate(parts[1:], start=2):
        if len(other) != len(first):
            raise SpecInvalid(
                f"Part 1 of the front end has {len(first)} frames and part {place} has {len(other)}.",
                remedy="Give all parts the same hop and centering, or pool each part over time, in the model's spec.",
            )
    return first if len(parts) == 1 else np.concatenate(parts, axis=1)
