"""Names the codecs of compressed sound in wav files, by their numbers in Microsoft's registry."""

from understudy.errors import AudioUnusable

CONVERT = "Convert the recording: `ffmpeg -i FILE recording.flac`, and send recording.flac."
ONE_TRACK = "Send one sound track: `ffmpeg -i FILE -map 0:a:0 recording.flac`, and send recording.flac."
DAMAGED_HEADER = (
    "Send the file again, in case it was damaged on its way. If a player still plays it, convert it: "
    "`ffmpeg -i FILE recording.flac`, and send recording.flac. Otherwise record the clip again."
)
BY_FFMPEG = frozenset({0x50, 0x55, 0xFF, 0x160, 0x161, 0x2000})
"""mp2, mp3, aac, wma and ac3."""
GSM, GSM_BLOCK_FRAMES = 0x31, 320
BY_SNDFILE = frozenset({0x02, 0x11, GSM, 0x40})
"""Microsoft ADPCM, IMA ADPCM, GSM 6.10 and G.721."""

_NAMES = {
    0x0001: "PCM of an unusual width",
    0x0002: "Microsoft ADPCM",
    0x0003: "floating-point samples of an unusual width",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0040: "G.721",
    0x0050: "MPEG layer 1 or 2",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x0160: "Windows Media Audio 1",
    0x0161: "Windows Media Audio 2",
    0x028F: "G.722",
    0x2000: "AC-3",
    0x0014: "G.723",
    0x0022: "TrueSpeech",
    0x0045: "G.726",
    0x0064: "G.726",
    0x0065: "G.722",
    0x0085: "G.729",
    0x0111: "G.723.1",
    0x0162: "Windows Media Audio Professional",
    0x0163: "Windows Media Audio Lossless",
    0x0270: "ATRAC3",
    0x2001: "DTS",
    0x566F: "Vorbis",
    0xA109: "Speex",
}


def make_codec_error(codec: str, kind: str) -> AudioUnusable:
    """Return the error for sound of `codec`, which is not decoded, in a file of the container `kind`."""
    return AudioUnusable(
        f"The sound in the {kind} file is encoded with {codec}, which is not decoded here.", remedy=CONVERT
    )


def find_codec_name(tag: int) -> str:
    """Return a name for a codec's number in a wav file."""
    return _NAMES.get(tag, f"the codec number {tag:#06x}")
