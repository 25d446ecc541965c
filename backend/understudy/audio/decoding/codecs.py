"""The containers and codecs that FFmpeg may decode, and the errors for all others.

An upload can be an attack. FFmpeg therefore uses the demuxer of the detected container instead of its own guess, may
open no other file (playlists and mp4 data references ask for that), and runs only the audio decoders listed here.
"""

from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.wav_codecs import make_codec_error

DEMUXERS = {
    ContainerFormat.WAV: "wav",
    ContainerFormat.W64: "w64",
    ContainerFormat.CAF: "caf",
    ContainerFormat.FLAC: "flac",
    ContainerFormat.OGG: "ogg",
    ContainerFormat.MP3: "mp3",
    ContainerFormat.AAC: "aac",
    ContainerFormat.AMR: "amr",
    ContainerFormat.MP4: "mov",
    ContainerFormat.WEBM: "matroska",
    ContainerFormat.MPEGTS: "mpegts",
    ContainerFormat.ASF: "asf",
}
DECODERS = frozenset(
    {
        "aac",
        "ac3",
        "alac",
        "amrnb",
        "amrwb",
        "eac3",
        "flac",
        "mp1",
        "mp1float",
        "mp2",
        "mp2float",
        "mp3float",
        "opus",
        "vorbis",
        "wmav1",
        "wmav2",
        *("pcm_alaw", "pcm_mulaw", "pcm_s8", "pcm_u8"),
        *(f"pcm_{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")),
    }
)
MAX_TRACKS = 255
"""Most tracks that a file may hold: FFmpeg opens a decoder for each, and one of opus takes 0.2 MB."""
OPTIONS = {
    "max_streams": str(MAX_TRACKS + 1),
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "format_whitelist": ",".join(DEMUXERS.values()),
    "protocol_whitelist": "none",
}
_FRAMED_OPTIONS = OPTIONS | {"probesize": str(1 << 18)}  # their first frames say all, and short ones cost FFmpeg most


def get_options(kind: ContainerFormat) -> dict[str, str]:
    """Return the options with which FFmpeg opens a container."""
    return _FRAMED_OPTIONS if kind in (ContainerFormat.MP3, ContainerFormat.AAC) else OPTIONS


def refuse_to_open(url: str, flags: int, options: dict[str, str]) -> None:
    """Raise PermissionError: FFmpeg asks for this function when it wants to open another file."""
    raise PermissionError(
        f"an upload asked for another file ({len(url)} characters, flags {flags}, {len(options)} options)"
    )


def simplify_layout(context: AudioCodecContext) -> None:
    """Replace the layout of the channels by their number, before the decoder opens.

    FFmpeg keeps a list of channels with a layout that has no name of its own, as mov files with seven channels have.
    PyAV 18.1 copies the pointer to that list into every frame and frees the list with each of them, which ends the
    process. Reading the layout frees the list too, so that another layout has to stand there at once.
    """
    channels = max(1, context.layout.nb_channels)
    context.layout = f"{channels} channels"


def choose_stream(streams: list[AudioStream], kind: str) -> AudioStream:
    """Return the first stream whose decoder is listed; raises AudioUnusable without one."""
    contexts: list[AudioCodecContext | None] = [stream.codec_context for stream in streams]
    for stream, context in zip(streams, contexts, strict=True):
        if context is not None and context.codec.name in DECODERS:
            return stream
    first = contexts[0]
    raise make_codec_error("an unknown codec" if first is None else first.codec.long_name, kind)
