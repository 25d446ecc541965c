"""Clips to try a model on, made by scripts/make_demo_clips.py; an installed wheel has none."""

from dataclasses import dataclass
from pathlib import Path

import soundfile

FOLDER = Path(__file__).resolve().parents[2] / "demo" / "clips"


@dataclass(frozen=True)
class DemoClip:
    path: Path
    title: str
    seconds: float


def find_demo_clips() -> list[DemoClip]:
    """The bundled clips by name; reads their headers only."""
    found = [path for path in sorted(FOLDER.glob("*")) if path.suffix in {".wav", ".flac", ".ogg"}]
    return [
        DemoClip(path, path.stem.replace("_", " ").capitalize(), float(soundfile.info(path).duration)) for path in found
    ]
