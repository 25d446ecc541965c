"""Encode samples with the libraries that Understudy brings along: libsndfile, and FFmpeg's through PyAV."""

import io
from fractions import Fraction
from typing import cast

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

Sound = NDArray[np.float32]
RATE = 44_100
# Without one these encoders do not open.
_BIT_RATES = {"wmav1": 64_000, "wmav2": 64_000, "libopencore_amrnb": 12_200}


def encode_with_sndfile(sound: Sound, container: str, subtype: str, rate: int = RATE) -> bytes:
    """Encode samples [n] or [n, channels]."""
    out = io.BytesIO()
    soundfile.write(out, sound, rate, format=container, subtype=subtype)
    return out.getvalue()


def encode_with_ffmpeg(
    sound: Sound | None,
    container: str,
    codec: str,
    rate: int = RATE,
    *,
    picture: bool = False,
    options: dict[str, str] | None = None,
    tracks: int = 1,
    late: float = 0.0,
) -> bytes:
    """Encode samples [n]; `picture` adds a video track, `sound=None` leaves the sound out, `tracks` repeats it.

    The sound begins at the second `late`.
    """
    out = io.BytesIO()
    with av.open(out, "w", format=container, container_options=options or {}) as file:
        if picture:
            video = file.add_stream("libx264" if container != "webm" else "libvpx", rate=10)
            video.width = video.height = 64
            video.pix_fmt = "yuv420p"
            video.time_base = Fraction(1, 10)
        if sound is not None:
            streams = [cast("AudioStream", file.add_stream(codec, rate=rate, layout="mono")) for _ in range(tracks)]
            for stream in streams:
                if bit_rate := _BIT_RATES.get(codec):
                    stream.bit_rate = bit_rate
                frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="fltp", layout="mono")
                frame.sample_rate = rate
                frame.pts = round(late * rate)
                for packet in (*stream.encode(frame), *stream.encode(None)):
                    file.mux(packet)
        if picture:
            for index in range(20):
                still = av.VideoFrame.from_ndarray(np.full((64, 64, 3), index, np.uint8), format="rgb24")
                still.pts = index
                for packet in video.encode(still):
                    file.mux(packet)
            for packet in video.encode(None):
                file.mux(packet)
    return out.getvalue()
