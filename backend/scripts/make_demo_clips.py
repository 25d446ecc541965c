"""Write the demo clips: run `python scripts/make_demo_clips.py [FOLDER]` in `backend/`.

Each clip is computed from a formula. Its seed is the one, out of eight, whose sound YAMNet scores highest under the
name of its kind. The starter model was trained on sounds of these kinds with other seeds, so no clip was part of its
training.
"""

import argparse
from pathlib import Path

import soundfile

from understudy.training.clips.synthesis import synthesize
from understudy.yamnet.constants import SAMPLE_RATE

FOLDER = Path(__file__).resolve().parents[1] / "demo" / "clips"
SECONDS = 4.0
SEEDS = {
    "alarm_beep": 1003,
    "clock_tick": 1006,
    "fire_crackling": 1005,
    "helicopter": 1007,
    "rain": 1002,
    "sea_waves": 1005,
}


def make_clips(folder: Path) -> list[Path]:
    """Write one 16-bit mono wav at 16 kHz for each kind, named after its label, and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for kind, seed in SEEDS.items():
        clip = folder / f"{kind}.wav"
        soundfile.write(clip, synthesize(kind, SECONDS, seed), SAMPLE_RATE, subtype="PCM_16")
        clips.append(clip)
    return clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    make_clips(parser.parse_args().folder)


if __name__ == "__main__":
    main()
