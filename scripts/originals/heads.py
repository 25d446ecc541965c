"""Features on which heads are trained, each computed by its original library as published scripts compute it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Head:
    """A kind of head: the environment of its library, and its features of a clip. `scaled`: a StandardScaler follows.

    `windows` are features of each window of a clip, whose scores the author averages. `whole`: YAMNet is saved with the
    head, as one model from samples to the scores of the windows.
    """

    name: str
    library: str
    compute: Callable[[Path], Any]
    scaled: bool = False
    windows: bool = False
    whole: bool = False


def _load(path: Path, rate: int | None = 22_050) -> tuple[Any, int]:
    import librosa

    samples, own = librosa.load(path, sr=rate)
    return samples, int(own)


def _read(path: Path, rate: int) -> Any:
    """Return the samples at `rate` Hz, resampled as TensorFlow's tutorial of YAMNet does."""
    import scipy.signal
    import soundfile

    samples, own = soundfile.read(path, dtype="float32")
    return scipy.signal.resample(samples, round(len(samples) / own * rate)).astype(np.float32)


def _pad(features: Any, frames: int) -> Any:
    """Return features [n, t] as [n, frames], with zeros at the end."""
    return np.pad(features[:, :frames], ((0, 0), (0, max(0, frames - features.shape[1]))))


def _compute_mfcc(path: Path) -> Any:
    import librosa

    samples, rate = _load(path)
    return np.mean(librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=40).T, axis=0)


def _compute_mfcc_matrix(path: Path) -> Any:
    import librosa

    samples, rate = _load(path)
    return _pad(librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=13), 250)


def _compute_log_mel(path: Path) -> Any:
    import librosa

    samples, rate = _load(path)
    mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_mels=128)
    return _pad(librosa.power_to_db(mel, ref=np.max), 216)[..., None]


def _compute_trimmed_statistics(path: Path) -> Any:
    import librosa

    samples, rate = _load(path, 16_000)
    samples, _ = librosa.effects.trim(samples, top_db=30)
    mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_mels=64, n_fft=1024, hop_length=256)
    decibels = librosa.power_to_db(mel, ref=np.max)
    return np.hstack([decibels.mean(axis=1), decibels.std(axis=1)])


def _compute_joined(path: Path) -> Any:
    import librosa

    samples, rate = _load(path)
    spectrum = np.abs(librosa.stft(samples))
    parts = [
        librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=40),
        librosa.feature.chroma_stft(S=spectrum, sr=rate),
        librosa.feature.melspectrogram(y=samples, sr=rate),
    ]
    return np.hstack([np.mean(part.T, axis=0) for part in parts])


def _compute_joined_with_tonnetz(path: Path) -> Any:
    import librosa

    samples, rate = _load(path)
    contrast = librosa.feature.spectral_contrast(S=np.abs(librosa.stft(samples)), sr=rate)
    tonnetz = librosa.feature.tonnetz(y=samples, sr=rate)
    return np.hstack([_compute_joined(path), contrast.mean(axis=1), tonnetz.mean(axis=1)])


def _compute_small_parts(path: Path) -> Any:
    import librosa

    samples, rate = _load(path)
    parts = [
        librosa.feature.chroma_stft(y=samples, sr=rate),
        librosa.feature.zero_crossing_rate(samples),
        librosa.feature.rms(y=samples),
    ]
    return np.hstack([part.mean(axis=1) for part in parts])


def _compute_speech(path: Path) -> Any:
    import python_speech_features

    samples, rate = _load(path, 16_000)
    whole = np.rint(samples * 32768).clip(-32768, 32767).astype(np.int16)
    return _pad(python_speech_features.mfcc(whole, rate).T, 500).T


def _compute_tensorflow(path: Path) -> Any:
    import tensorflow as tf

    spectrum = tf.abs(tf.signal.stft(_read(path, 16_000), 1024, 256))
    weights = tf.signal.linear_to_mel_weight_matrix(80, 513, 16_000, 80.0, 7600.0)
    return _pad(np.log(np.asarray(spectrum @ weights) + 1e-6).T, 300).T


def _compute_torchaudio(path: Path) -> Any:
    import soundfile
    import torch
    import torchaudio

    samples, rate = soundfile.read(path, dtype="float32")
    sound = torchaudio.functional.resample(torch.from_numpy(samples), rate, 16_000)
    mel = torchaudio.transforms.MelSpectrogram(16_000)(sound)
    return _pad(torchaudio.transforms.AmplitudeToDB()(mel).numpy(), 400)[None]


def _compute_picture(path: Path) -> Any:
    import librosa
    import torch

    samples, rate = _load(path)
    decibels = librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=rate), ref=np.max)[::-1]
    grey = (decibels - decibels.min()) / (decibels.max() - decibels.min())
    resized = torch.nn.functional.interpolate(torch.from_numpy(grey[None, None].copy()), (96, 96), mode="bilinear")
    return np.repeat(resized.numpy()[0, 0, :, :, None], 3, axis=2)


def _embed(path: Path) -> Any:
    from scripts.originals.yamnet_network import load_yamnet

    return np.asarray(load_yamnet()(_read(path, 16_000)))


HEADS = (
    Head("MFCC-40, mean", "librosa", _compute_mfcc),
    Head("MFCC-13 matrix, padded", "librosa", _compute_mfcc_matrix),
    Head("log-mel matrix 128 x 216", "librosa", _compute_log_mel),
    Head("log-mel 64 mean and std, trimmed, 16 kHz", "librosa", _compute_trimmed_statistics),
    Head("MFCC, chroma and mel means", "librosa", _compute_joined),
    Head("the same with contrast and tonnetz", "librosa", _compute_joined_with_tonnetz),
    Head("chroma, zero crossings, RMS", "librosa", _compute_small_parts),
    Head("MFCC-40, mean, StandardScaler", "librosa", _compute_mfcc, scaled=True),
    Head("python_speech_features MFCC matrix", "librosa", _compute_speech),
    Head("tf.signal log-mel", "tensorflow", _compute_tensorflow),
    Head("torchaudio MelSpectrogram", "torch", _compute_torchaudio),
    Head("YAMNet embedding, mean", "tensorflow", lambda path: _embed(path).mean(axis=0)),
    Head("YAMNet embedding, each window", "tensorflow", _embed, windows=True),
    Head("waveform to YAMNet and head", "tensorflow", _embed, windows=True, whole=True),
    Head("picture of a log-mel", "torch", _compute_picture),
)
