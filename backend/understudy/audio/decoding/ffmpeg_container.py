"""Open a container with FFmpeg, and read how long its header says the sound is."""

import re
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from understudy.audio.decoding.codecs import DEMUXERS, MAX_TRACKS, get_options, refuse_to_open
from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.source_file import Source, Stream
from understudy.audio.decoding.wav_codecs import DAMAGED_HEADER, ONE_TRACK
from understudy.errors import AudioUnusable

# The DURATION tag of one Matroska track; the duration of the container is that of its longest track.
_TAGGED_DURATION = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d+)?)")
# Containers that store when the sound begins, or the number of its first sample.
_DATED = frozenset(
    {
        ContainerFormat.FLAC,
        ContainerFormat.OGG,
        ContainerFormat.MP4,
        ContainerFormat.WEBM,
        ContainerFormat.MPEGTS,
        ContainerFormat.ASF,
    }
)


def open_container(source: Source, kind: ContainerFormat) -> InputContainer:
    """Open a file object; raises AudioUnusable where its header cannot be read, and for more than MAX_TRACKS tracks."""
    source.seek(0)
    many = f"holds more than {MAX_TRACKS} tracks"
    try:
        container = av.open(
            Stream(source),
            "r",
            format=DEMUXERS[kind],
            container_options=get_options(kind),
            metadata_errors="replace",
            io_open=refuse_to_open,
        )
    except av.error.MemoryError as error:  # some demuxers report too many tracks so
        raise AudioUnusable(f"The {kind} file {many}, or needs too much memory.", remedy=ONE_TRACK) from error
    except av.FFmpegError as error:
        raise AudioUnusable(
            f"The {kind} file is damaged or cut off so that its header cannot be read.",
            remedy=DAMAGED_HEADER,
        ) from error
    if len(container.streams) > MAX_TRACKS:
        container.close()
        raise AudioUnusable(f"The {kind} file {many}.", remedy=ONE_TRACK)
    return container


def measure_late_start(container: InputContainer, first: AudioFrame, kind: ContainerFormat) -> float:
    """Return the seconds between the start of the file and its first frame; 0 where the container does not say.

    The times of an MPEG transport stream begin at any number, so that its first track is its start. FFmpeg gives this
    start to a track whose sound begins late, too.
    """
    if kind not in _DATED or first.pts is None or first.time_base is None:
        return 0.0
    seconds = float(first.pts * first.time_base)
    if kind is not ContainerFormat.MPEGTS:
        return max(0.0, seconds)
    start = cast("int | None", container.start_time)  # PyAV's stubs leave out None
    return 0.0 if start is None else max(0.0, seconds - start / av.time_base)


def read_promised_seconds(container: InputContainer, sound: AudioStream, kind: ContainerFormat) -> float | None:
    """Return the length in seconds of the sound track by the container's header.

    It may count from the start of the file, see `counts_from_start`. None where the header does not give one, because
    FFmpeg then guesses the length from the bit rate.
    """
    if (
        kind in (ContainerFormat.MP4, ContainerFormat.OGG, ContainerFormat.FLAC)
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


def counts_from_start(sound: AudioStream, kind: ContainerFormat, *, fragmented: bool) -> bool:
    """Return whether the header's length may be the time at which the sound ends, and not how long it lasts.

    FFmpeg writes the former into Matroska files, and mkvmerge the latter. Of opus in Ogg and of an mp4 file in
    fragments FFmpeg reads the former.
    """
    if kind is ContainerFormat.OGG:
        return sound.codec_context.name == "opus"
    return kind is ContainerFormat.WEBM or (kind is ContainerFormat.MP4 and fragmented)
