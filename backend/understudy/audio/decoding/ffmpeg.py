"""Decode ogg, opus, mp3, aac, mp4 and WebM with FFmpeg's libraries.

An upload can be an attack. FFmpeg therefore receives a file object and never a file name, uses the demuxer of the
detected container instead of its own guess, may open no other file (playlists and mp4 data references ask for that),
and may run only the audio decoders listed below.

FFmpeg decodes ogg and mp3 in place of libsndfile, whose Opus decoder takes three times as long and whose mp3 decoder
writes to standard error.
"""

import re
from collections.abc import Iterator

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard

from understudy.audio.decoding.audio_limits import check_layout
from understudy.audio.decoding.detect_container import ContainerFormat, skip_id3
from understudy.audio.decoding.mpeg_frames import read_mpeg_frame, read_xing_seconds
from understudy.audio.decoding.reader import BLOCK_VALUES, Samples
from understudy.audio.decoding.source_file import Source, Stream
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding

_DEMUXERS = {
    ContainerFormat.OGG: "ogg",
    ContainerFormat.MP3: "mp3",
    ContainerFormat.AAC: "aac",
    ContainerFormat.MP4: "mov",
    ContainerFormat.WEBM: "matroska",
}
_DECODERS = (
    "aac,ac3,alac,amrnb,amrwb,eac3,flac,mp1float,mp2float,mp3float,opus,vorbis,"
    "pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,pcm_s16le,"
    "pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8"
)
_OPTIONS = {
    "codec_whitelist": _DECODERS,
    "format_whitelist": ",".join(_DEMUXERS.values()),
    "protocol_whitelist": "none",
}
# The DURATION tag of one Matroska track; the duration of the container is that of its longest track.
_TAGGED_DURATION = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d+)?)")
# A header counts the encoder's delay and padding, which a decoder drops: up to 0.1 s and a few codec frames.
_SLACK_SECONDS, _SLACK_SAMPLES = 0.1, 4096


def _refuse_to_open(url: str, flags: int, options: dict[str, str]) -> None:
    raise PermissionError(
        f"an upload asked for another file ({len(url)} characters, flags {flags}, {len(options)} options)"
    )


class FfmpegReader:
    """Reads the first sound stream of a seekable file object; skips pictures and video without decoding them."""

    def __init__(self, source: Source, kind: ContainerFormat) -> None:
        """Open `source`, a file in the container `kind`, and decode its first frame.

        Raises AudioUnusable when the container cannot be read, when it holds no sound, when its codec is not supported,
        or when the sample rate or the channel count is out of range.
        """
        self.findings: list[Finding] = []
        self._kind = kind
        self._source = source
        promised = _read_xing(source) if kind is ContainerFormat.MP3 else None
        self._container = _open_container(source, kind)
        try:
            self._stream = _select_sound(self._container, kind)
            if kind is not ContainerFormat.MP3:
                promised = _read_promised_seconds(self._container, self._stream, kind)
            self._promised = promised or 0.0
            self._frames = self._iter_frames()
            self._first = self._decode_first_frame()
            self.rate, self.channels = self._first.sample_rate, self._first.layout.nb_channels
            check_layout(self.rate, self.channels)
        except AudioUnusable:
            self.close()
            raise
        slack = _SLACK_SECONDS + _SLACK_SAMPLES / self.rate
        self.seconds: float | None = None if promised is None else max(0.0, promised - slack)
        self.codec = self._stream.codec_context.codec.canonical_name

    def iter_blocks(self) -> Iterator[Samples]:
        size = max(256, BLOCK_VALUES // self.channels)
        fifo = AudioFifo()
        done = 0
        frame: AudioFrame | None = self._first
        while frame is not None:
            if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                raise AudioUnusable(
                    f"The recording's sample rate or channel count changes after {done / self.rate:.2f} s."
                )
            frame.pts = None  # live recordings have gaps between time stamps, which the queue refuses
            fifo.write(frame)
            done += frame.samples
            while (block := fifo.read(size)) is not None:
                yield _to_float(block)
            frame = next(self._frames, None)
        if (rest := fifo.read(0)) is not None:
            yield _to_float(rest)
        self._check_complete(done)

    def close(self) -> None:
        self._container.close()

    def _decode_first_frame(self) -> AudioFrame:
        """Return the first decoded frame, which has the true sample rate and channels: HE-AAC doubles the header's."""
        first = next(self._frames, None)
        if first is None:
            raise AudioUnusable(f"The {self._kind} file holds no samples.")
        return first

    def _iter_frames(self) -> Iterator[AudioFrame]:
        """Yield the decoded frames; raises AudioUnusable for damage and for a last frame that is cut off."""
        samples, last = 0, None
        try:
            for packet in self._container.demux(self._stream):
                for frame in packet.decode():
                    samples += frame.samples
                    yield frame
                last = packet if packet.size else last
        except av.FFmpegError as error:
            seconds = f" after {samples / self._stream.rate:.2f} s of sound" if self._stream.rate else ""
            raise AudioUnusable(f"The {self._kind} file is damaged or cut off{seconds}.") from error
        if self._kind in (ContainerFormat.MP3, ContainerFormat.AAC) and last is not None:
            _check_last_frame(self._source, last)

    def _check_complete(self, done: int) -> None:
        """Raise AudioUnusable when `done` samples are clearly fewer than the header promises."""
        if done / self.rate < (self.seconds or 0.0):
            raise AudioUnusable(
                f"The {self._kind} file promises {self._promised:.2f} s of sound and holds {done / self.rate:.2f} s; "
                "it is damaged or cut off."
            )


def _open_container(source: Source, kind: ContainerFormat) -> InputContainer:
    source.seek(0)
    try:
        return av.open(
            Stream(source),
            "r",
            format=_DEMUXERS[kind],
            container_options=_OPTIONS,
            metadata_errors="replace",
            io_open=_refuse_to_open,
        )
    except av.FFmpegError as error:
        raise AudioUnusable(f"The {kind} file is damaged or cut off: {error.strerror}.") from error


def _read_xing(source: Source) -> float | None:
    source.seek(skip_id3(source))
    return read_xing_seconds(source.read(64))


def _select_sound(container: InputContainer, kind: ContainerFormat) -> AudioStream:
    """Return the first sound stream and discard all others; raises AudioUnusable without a usable one."""
    if not container.streams.audio:
        content = "video but no sound" if container.streams.video else "no sound"
        raise AudioUnusable(f"The {kind} file holds {content}.", remedy="Send a recording that has a sound track.")
    sound = container.streams.audio[0]
    for stream in container.streams:
        if stream.index != sound.index:
            stream.discard = Discard.all
    if sound.codec_context is None:
        raise AudioUnusable(
            f"The sound in the {kind} file uses a codec that is not supported.",
            remedy="Convert the recording to wav, flac, ogg or mp3 and send that file.",
        )
    sound.codec_context.thread_count = 1
    return sound


def _read_promised_seconds(container: InputContainer, sound: AudioStream, kind: ContainerFormat) -> float | None:
    """Return the length of the sound track in seconds by the container's header.

    None where the header does not give one, because FFmpeg then guesses the length from the bit rate.
    """
    if (
        kind in (ContainerFormat.MP4, ContainerFormat.OGG)
        and sound.duration is not None
        and sound.time_base is not None
    ):
        return float(sound.duration * sound.time_base)
    if kind is not ContainerFormat.WEBM:
        return None
    if match := _TAGGED_DURATION.fullmatch(sound.metadata.get("DURATION", "")):
        hours, minutes, seconds = match.groups()
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    if len(container.streams) == 1 and container.duration is not None:
        return container.duration / av.time_base
    return None


def _check_last_frame(source: Source, packet: "Packet[AudioStream]") -> None:
    """Raise AudioUnusable when the last frame of mp3 or raw AAC is incomplete.

    Tags may follow the last frame, but not the beginning of another frame.
    """
    data = bytes(packet)
    frame = read_mpeg_frame(data)
    if frame is not None and frame.length > len(data):
        raise AudioUnusable(
            f"The mp3 file is cut off: its last frame should have {frame.length} bytes, and {len(data)} are present."
        )
    if packet.pos is not None:
        source.seek(packet.pos + packet.size)
        if source.read(1) == b"\xff":
            raise AudioUnusable("The file is cut off: its last frame ends within its header.")


def _to_float(frame: AudioFrame) -> Samples:
    """Convert a frame of any sample format to float32 [frames, channels] with a full scale of 1.0.

    Unsigned 8-bit samples are shifted by 128; signed integers of b bits are divided by 2^(b - 1). Planar formats give a
    transposed view.
    """
    values = frame.to_ndarray()
    samples = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - np.float32(128)) / np.float32(128)
    if np.issubdtype(samples.dtype, np.integer):
        return samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    return samples.astype(np.float32, copy=False)
