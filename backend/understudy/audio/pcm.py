"""Raw samples as they arrive from a microphone."""

import numpy as np

from understudy.audio.decoding.reader import Samples
from understudy.errors import AudioUnusable
from understudy.schemas.inference.sample_encoding import Encoding

_SAMPLE_BYTES = {Encoding.PCM16: 2, Encoding.FLOAT32: 4}


def decode_pcm(message: bytes, encoding: Encoding, channels: int) -> Samples:
    """float32 [frames, channels] in [-1, 1]; raises AudioUnusable for a cut-off frame or values that are no numbers."""
    if len(message) % (_SAMPLE_BYTES[encoding] * channels):
        raise AudioUnusable(
            f"A message of {len(message)} bytes does not hold whole frames of {channels} channel(s) {encoding}.",
            remedy="Send whole frames, and declare their encoding and channels in the first message.",
        )
    if encoding is Encoding.PCM16:
        samples = np.frombuffer(message, "<i2").astype(np.float32) / np.float32(32768)
    else:
        samples = np.frombuffer(message, "<f4").astype(np.float32)
        if not np.isfinite(samples).all():
            raise AudioUnusable("The stream holds values that are not numbers (NaN) or infinite.")
    return samples.reshape(-1, channels)
