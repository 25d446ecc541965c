"""Write backend/demo/clips/examples.csv: `python scripts/score_demo_clips.py` in `backend/`.

Holds the scores that Keras computes for starter.keras and the demo clips, from log-mel patches of the whole clip. The
demo gives them to the starter model as examples. Run it whenever starter.keras or a clip changes.
"""

import csv
from pathlib import Path

import numpy as np
import soundfile

from understudy.audio.features.log_mel import compute_log_mel
from understudy.schemas.compiler.spec import PartialSpec
from understudy.training.clips.example_clips import TOLERANCE
from understudy.training.keras_head import import_keras
from understudy.yamnet.constants import (
    FRAME_HOP_SAMPLES,
    FRAME_SAMPLES,
    PATCH_FRAMES,
    PATCH_HOP_FRAMES,
    SAMPLE_RATE,
)

BACKEND = Path(__file__).resolve().parents[1]
CLIPS = BACKEND / "demo" / "clips"


def score_clips(model: Path) -> dict[str, list[float]]:
    """Return the mean over the patches of each clip, by the clip's name, as the Keras file scores them."""
    head = import_keras().models.load_model(model, compile=False)
    scores = {}
    for clip in sorted(CLIPS.glob("*.wav")):
        samples, rate = soundfile.read(clip, dtype="float32")
        if rate != SAMPLE_RATE:
            raise ValueError(f"{clip.name} has {rate} Hz, not {SAMPLE_RATE} Hz.")
        patches = head(_cut_patches(samples), training=False)
        scores[clip.name] = np.asarray(patches).mean(axis=0, dtype=np.float64).tolist()
    return scores


def _cut_patches(samples: np.ndarray) -> np.ndarray:
    """Return log-mel patches float32 [n, 96, 64]; the last one is filled up with silence."""
    size, hop = (PATCH_FRAMES - 1) * FRAME_HOP_SAMPLES + FRAME_SAMPLES, PATCH_HOP_FRAMES * FRAME_HOP_SAMPLES
    count = 1 + max(0, -(-(len(samples) - size) // hop))
    frames = compute_log_mel(np.pad(samples, (0, max(0, size + (count - 1) * hop - len(samples)))))
    starts = range(0, count * PATCH_HOP_FRAMES, PATCH_HOP_FRAMES)
    return np.stack([frames[start : start + PATCH_FRAMES] for start in starts])


def write_examples(target: Path) -> None:
    """Write the scores of all demo clips as an examples.csv."""
    models = BACKEND / "models"
    labels = PartialSpec.model_validate_json((models / "starter.spec.json").read_bytes()).labels or ()
    with target.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "label", "tolerance", *labels])
        for name, scores in score_clips(models / "starter.keras").items():
            best = labels[int(np.argmax(scores))]
            table.writerow([name, best, TOLERANCE, *(f"{score:.7g}" for score in scores)])


if __name__ == "__main__":
    write_examples(CLIPS / "examples.csv")
