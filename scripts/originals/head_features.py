"""Compute the features of heads for clips, in the environment of their library.

    python -m scripts.originals.head_features LIBRARY CLIPS OUT

CLIPS lists one path on each line. OUT, an npz file, gets the features of each clip by "head|path".
"""

import sys
from pathlib import Path

import numpy as np

from scripts.originals.heads import HEADS


def main(library: str, listed: str, out: str) -> None:
    clips = Path(listed).read_text(encoding="utf-8").split()
    found = {
        f"{head.name}|{clip}": np.asarray(head.compute(Path(clip)), np.float32)
        for head in HEADS
        if head.library == library
        for clip in clips
    }
    np.savez(out, **found)  # type: ignore[arg-type]  # numpy's stub takes the names for its own parameters


if __name__ == "__main__":
    main(*sys.argv[1:])
