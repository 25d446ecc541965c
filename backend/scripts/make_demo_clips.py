"""Write the demo clips: `python scripts/make_demo_clips.py [FOLDER]` from `backend/`.

Each clip is a formula, no recording. Of eight seeds a kind, the one that YAMNet itself calls most clearly by its name;
all lie beyond the seeds that the starter model was trained with, so it knows the kind of sound but not the clip.
"""

import argparse
from pathlib import Path

import soundfile

from understudy.training.synthesis import synthesize
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
    """One 16-bit mono wav at 16 kHz a kind, named after its true label."""
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
