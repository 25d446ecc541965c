"""Compute YAMNet embeddings of recordings once and keep them on disk."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from understudy.audio.features.patches import PatchStream
from understudy.audio.opening import AudioLimits, open_clip
from understudy.errors import AudioTooLong, AudioUnusable, NotAudio, TrainingDataInvalid
from understudy.files.regular_file import open_regular
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.yamnet.constants import SAMPLE_RATE

_BATCH = 16


class EmbeddingCache:
    """Keeps embeddings by the digests of recording and backbone, so that a change of either gives new embeddings."""

    def __init__(self, folder: Path, backbone: YamnetBackbone, max_seconds: float) -> None:
        self._folder = folder / backbone.digest[:16]
        self._folder.mkdir(parents=True, exist_ok=True)
        self._backbone = backbone
        self._limits = AudioLimits(max_seconds=max_seconds)

    def get(self, path: Path) -> NDArray[np.float32]:
        """Return the embeddings float32 [windows, 1024] of one recording, one row for each window of the server.

        Raises TrainingDataInvalid with the file's name when the recording cannot be decoded.
        """
        with open_regular(path) as file:
            cached = self._folder / f"{hashlib.file_digest(file, 'sha256').hexdigest()}.npy"
            if cached.exists():
                return np.asarray(np.load(cached, allow_pickle=False), dtype=np.float32)
            file.seek(0)
            try:
                patches = self._cut_patches(file)
            except (NotAudio, AudioUnusable, AudioTooLong) as error:
                raise TrainingDataInvalid(
                    f"{path}: {error.detail}", remedy=f"Remove or replace the recording. {error.remedy}"
                ) from error
        rows = [self._backbone.embed(patches[start : start + _BATCH]) for start in range(0, len(patches), _BATCH)]
        embeddings = np.concatenate(rows)
        partial = cached.with_suffix(f".{os.getpid()}.partial")
        with partial.open("wb") as target:
            np.save(target, embeddings, allow_pickle=False)
        partial.replace(cached)
        return embeddings

    def _cut_patches(self, file: BinaryIO) -> NDArray[np.float32]:
        stream = PatchStream()
        with open_clip(file, self._limits, strict=True) as clip:
            patches = [patch for block in clip.iter_blocks(SAMPLE_RATE) for _, patch in stream.push(block)]
            patches += [patch for _, patch in stream.finish()]
        return np.stack(patches)


def embed_recordings(
    cache: EmbeddingCache, paths: Sequence[Path], threads: int, on_progress: Callable[[str, int, int | None], None]
) -> list[NDArray[np.float32]]:
    """Return the embeddings float32 [windows, 1024] of all recordings, in their order.

    Reports the step "embed" after each recording. Raises what `EmbeddingCache.get` raises, and computes no further
    recording then.
    """
    found = []
    with ThreadPoolExecutor(threads) as pool:
        try:
            for done, embeddings in enumerate(pool.map(cache.get, paths), start=1):
                found.append(embeddings)
                on_progress("embed", done, len(paths))
        except TrainingDataInvalid:
            pool.shutdown(cancel_futures=True)
            raise
    return found
