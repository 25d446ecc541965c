"""Find the demo clips that scripts/make_demo_clips.py writes."""

from dataclasses import dataclass
from pathlib import Path

from understudy.demo_files import DEMO_FOLDER

FOLDER = DEMO_FOLDER / "clips"


@dataclass(frozen=True)
class DemoClip:
    """One demo clip: its file, a title for people, and its length in seconds."""

    path: Path
    title: str
    seconds: float


def find_demo_clips() -> list[DemoClip]:
    """Return the demo clips in order of their file names; reads only their headers."""
    import soundfile  # the server's process decodes nothing else

    found = [path for path in sorted(FOLDER.glob("*")) if path.suffix in {".wav", ".flac", ".ogg"}]
    return [
        DemoClip(path, path.stem.replace("_", " ").capitalize(), float(soundfile.info(path).duration)) for path in found
    ]
