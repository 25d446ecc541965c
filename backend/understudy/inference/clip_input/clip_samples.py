"""Read a clip's samples as the spec prepares them."""

from collections.abc import Iterator

import numpy as np

from understudy.audio.clip import Clip
from understudy.audio.decoding.reader import Samples
from understudy.inference.clip_input.cutters import build_whole_clip_too_long
from understudy.schemas.front_end.sound import Sound


def iter_samples(clip: Clip, sound: Sound, rate: int, max_seconds: float) -> Iterator[Samples]:
    """Yield the prepared mono samples float32 [n] at `rate` Hz, block by block where every step allows it.

    Otherwise the clip is read whole: raises AudioTooLong above `max_seconds`, and AudioUnusable where nothing is left.
    """
    if sound.streams:
        yield from clip.iter_blocks(rate, sound)
        return
    from understudy.audio.sound.preparation import prepare_sound  # loads scipy, which few models need

    blocks, total = [], 0
    for block in clip.iter_blocks(clip.rate, sound):
        blocks.append(block)
        total += len(block)
        if total > max_seconds * clip.rate:
            clip.close()
            raise build_whole_clip_too_long(max_seconds)
    samples, _ = prepare_sound(np.concatenate(blocks), clip.rate, sound, rate)
    yield samples
