"""Decode raw samples of a live stream."""

import numpy as np

from understudy.audio.decoding.reader import Samples
from understudy.errors import AudioUnusable
from understudy.schemas.inference.sample_encoding import Encoding

_SAMPLE_BYTES = {Encoding.PCM16: 2, Encoding.FLOAT32: 4}


def count_frame_bytes(encoding: Encoding, channels: int) -> int:
    """Return the bytes of one frame, which holds one sample of each channel."""
    return _SAMPLE_BYTES[encoding] * channels


def decode_pcm(message: bytes, encoding: Encoding, channels: int) -> Samples:
    """Decode interleaved little-endian samples to float32 [frames, channels].

    16-bit integers are divided by 32768, which gives [-1, 1); float samples are kept as they are, and may be infinite
    or not numbers. Raises AudioUnusable when the message ends within a frame.
    """
    if len(message) % count_frame_bytes(encoding, channels):
        raise AudioUnusable(
            f"The message has {len(message)} bytes, which is not a whole number of {encoding} frames of {channels} "
            "channel(s).",
            remedy="Send whole frames, and declare the encoding and the channels that you send in the first message.",
        )
    if encoding is Encoding.PCM16:
        samples = np.frombuffer(message, "<i2").astype(np.float32) / np.float32(32768)
    else:
        samples = np.frombuffer(message, "<f4").astype(np.float32)
    return samples.reshape(-1, channels)
