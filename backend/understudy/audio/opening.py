"""Open an uploaded recording as a clip."""

from understudy.audio.clip import Clip
from understudy.audio.decoding.audio_limits import AudioLimits
from understudy.audio.decoding.container_validation import validate_container
from understudy.audio.decoding.detect_container import ContainerFormat, detect_container
from understudy.audio.decoding.plain_wav import open_plain_wav
from understudy.audio.decoding.reader import Reader
from understudy.audio.decoding.sndfile import SndfileReader
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioTooLong

__all__ = ["AudioLimits", "Clip", "open_clip"]

_BY_LIBSNDFILE = (ContainerFormat.WAV, ContainerFormat.AIFF, ContainerFormat.FLAC)


def open_clip(source: Source, limits: AudioLimits, *, strict: bool = False) -> Clip:
    """Open a seekable file object that holds wav, aiff, flac, ogg, opus, mp3, aac, mp4 or WebM.

    Raises NotAudio when the content has another format, AudioUnusable when the file is empty, cut off, damaged or
    without sound, and AudioTooLong when its header promises more seconds than `limits` allow. The caller keeps `source`
    open until the clip is read, and closes both. `strict` refuses a recording that is damaged or not read as a whole.
    """
    kind = detect_container(source)
    validate_container(source, kind)
    reader = _open_reader(source, kind)
    try:
        limits.check_length(reader.seconds or 0.0)
    except AudioTooLong:
        reader.close()
        raise
    return Clip(reader, limits, strict=strict)


def _open_reader(source: Source, kind: ContainerFormat) -> Reader:
    if kind is ContainerFormat.WAV and (plain := open_plain_wav(source)) is not None:
        return plain
    source.seek(0)
    if kind in _BY_LIBSNDFILE:
        return SndfileReader(source, kind)
    from understudy.audio.decoding.ffmpeg import FfmpegReader  # loads 15 MB of libraries

    return FfmpegReader(source, kind)
