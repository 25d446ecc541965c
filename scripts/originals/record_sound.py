"""Record what the original packages make of test signals, for backend/tests/audio.

Run it with the Python of an environment that holds the package:
    python scripts/originals/record_sound.py librosa backend/tests/audio/sound/golden
The environments: librosa==0.9.2 with resampy==0.2.2 (Python 3.8), librosa==0.10.2.post1 with resampy==0.4.3,
librosa==0.11.0 with resampy==0.4.3 and soundfile, torchaudio==2.11, scikit-learn, pillow==11.3, matplotlib,
tensorflow-cpu, and tensorflow-io==0.37.1 with tensorflow-cpu==2.16.2.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from sound_signals import make_event, make_image, make_sweep  # type: ignore[import-not-found]

PAIRS = [
    (44100, 16000),
    (44100, 22050),
    (48000, 16000),
    (32000, 11025),
    (22050, 16000),
    (8000, 16000),
    (11025, 48000),
    (16000, 44100),
]
SECONDS = 1.37


def thin_out(samples: Any) -> Any:
    """Return the length and about 120 samples, those of the start and the end among them."""
    samples = np.asarray(samples, np.float32)
    middle = samples[20:-20]
    return np.concatenate([samples[:20], middle[:: len(middle) // 80], samples[-20:]])


def record_librosa() -> dict[str, Any]:
    import librosa
    import resampy
    import soundfile

    found: dict[str, Any] = {"version": librosa.__version__, "resampy_version": resampy.__version__}
    for rate, target in PAIRS:
        signal = make_sweep(rate, SECONDS)
        for method in ("kaiser_best", "kaiser_fast", "soxr_hq", "polyphase", "fft"):
            samples = librosa.resample(signal, orig_sr=rate, target_sr=target, res_type=method)
            found[f"{method} {rate} {target}"] = thin_out(samples)
            found[f"{method} {rate} {target} length"] = len(samples)
    for top_db, frame, hop in ((60, 2048, 512), (20, 2048, 512), (30, 511, 100)):
        _, ends = librosa.effects.trim(make_event(22050), top_db=top_db, frame_length=frame, hop_length=hop)
        found[f"trim {top_db} {frame} {hop}"] = ends
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "stereo.wav")
        left = make_sweep(44100, 2.0)
        soundfile.write(file, np.stack([left, left[::-1]], axis=1), 44100, subtype="FLOAT")
        for method in ("kaiser_fast", "soxr_hq"):
            samples, _ = librosa.load(file, sr=16000, offset=0.30001, duration=1.00001, res_type=method)
            found[f"load {method}"] = thin_out(samples)
            found[f"load {method} length"] = len(samples)
    return found


def record_torchaudio() -> dict[str, Any]:
    import torch
    import torchaudio

    found: dict[str, Any] = {"version": torchaudio.__version__}
    for rate, target in PAIRS:
        samples = torchaudio.functional.resample(torch.from_numpy(make_sweep(rate, SECONDS)), rate, target)
        found[f"torchaudio {rate} {target}"] = thin_out(samples.numpy())
        found[f"torchaudio {rate} {target} length"] = len(samples)
    return found


def record_tensorflow_io() -> dict[str, Any]:
    import tensorflow_io as tfio

    found: dict[str, Any] = {"version": tfio.__version__}
    for rate, target in [*PAIRS, (44100, 8000), (192000, 11025)]:
        samples = tfio.audio.resample(make_sweep(rate, SECONDS), rate, target)
        found[f"tfio {rate} {target}"] = thin_out(samples.numpy())
        found[f"tfio {rate} {target} length"] = len(samples)
    return found


def record_scikit_learn() -> dict[str, Any]:
    import sklearn
    from sklearn.preprocessing import StandardScaler

    data = make_image(60, 12)
    data[:, 5] = 3.0
    scaler = StandardScaler().fit(data[:40])
    flat = StandardScaler().fit(data.reshape(12, 60))
    return {
        "version": sklearn.__version__,
        "mean_": scaler.mean_,
        "scale_": scaler.scale_,
        "var_": scaler.var_,
        "scaled": scaler.transform(data[40:]),
        "flat_mean": flat.mean_,
        "flat_scale": flat.scale_,
        "flat_scaled": flat.transform(data.reshape(12, 60)[3:4]),
    }


def record_pillow() -> dict[str, Any]:
    import PIL
    from PIL import Image

    image = make_image(90, 40)
    scaled = (image - image.min()) / (image.max() - image.min())
    found: dict[str, Any] = {"version": PIL.__version__}
    for height, width in ((64, 48), (24, 100)):
        for name, how in (("nearest", Image.Resampling.NEAREST), ("pil_bilinear", Image.Resampling.BILINEAR)):
            picture = Image.fromarray((scaled.T[::-1] * 255).astype(np.uint8)).resize((width, height), how)
            found[f"{name} bytes {height} {width}"] = np.asarray(picture)
            picture = Image.fromarray(np.ascontiguousarray(scaled.T[::-1])).resize((width, height), how)
            found[f"{name} {height} {width}"] = np.asarray(picture)[::3, ::3]
    return found


def record_matplotlib() -> dict[str, Any]:
    import matplotlib
    from matplotlib.colors import Normalize

    image = make_image(30, 20).T[::-1]
    found: dict[str, Any] = {"version": matplotlib.__version__}
    for name in ("viridis", "magma", "jet"):
        colors = matplotlib.colormaps[name]
        found[name] = colors(np.arange(256))[:, :3].astype(np.float32)
        found["picture " + name] = colors(Normalize()(image))[:, :, :3].astype(np.float32)
        found["bytes " + name] = colors(Normalize()(image), bytes=True)[:, :, :3]
    return found


def record_tensorflow() -> dict[str, Any]:
    import tensorflow as tf

    image = make_image(90, 40)
    scaled = ((image - image.min()) / (image.max() - image.min())).T[::-1, :, None]
    found: dict[str, Any] = {"version": tf.__version__}
    for height, width in ((64, 48), (24, 100)):
        for name in ("nearest", "bilinear"):
            resized = tf.image.resize(scaled, (height, width), method=name).numpy()
            found[f"{name} {height} {width}"] = resized[::3, ::3, 0]
    rows = [make_image(count, 6).tolist() for count in (7, 12)]
    for side in ("pre", "post"):
        padded = tf.keras.preprocessing.sequence.pad_sequences(
            rows, maxlen=9, dtype="float32", padding=side, truncating=side, value=-1.5
        )
        found["pad_sequences " + side] = padded
    return found


RECORDERS = {
    "librosa": record_librosa,
    "torchaudio": record_torchaudio,
    "tensorflow_io": record_tensorflow_io,
    "scikit_learn": record_scikit_learn,
    "pillow": record_pillow,
    "matplotlib": record_matplotlib,
    "tensorflow": record_tensorflow,
}


def main() -> None:
    package, folder = sys.argv[1:]
    found = RECORDERS[package]()
    short = ".".join(str(found["version"]).split(".")[:2])
    np.savez_compressed(Path(folder) / (f"{package}_{short}.npz"), **found)


if __name__ == "__main__":
    main()
