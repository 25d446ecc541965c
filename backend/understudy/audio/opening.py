"""Open an uploaded recording as a clip."""

from understudy.audio.clip import Clip
from understudy.audio.decoding.audio_limits import AudioLimits, check_layout
from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import ContainerFormat, Detected, detect_container
from understudy.audio.decoding.joined import JoinedReader
from understudy.audio.decoding.pcm import apple, au, chunks, riff
from understudy.audio.decoding.pcm.encoding import PcmLayout
from understudy.audio.decoding.pcm.extent import Block, find_end, measure_compressed, measure_extent
from understudy.audio.decoding.pcm.reader import PcmReader
from understudy.audio.decoding.reader import Reader
from understudy.audio.decoding.sndfile import SndfileReader
from understudy.audio.decoding.source_file import PartOfFile, Source
from understudy.audio.decoding.wav_codecs import (
    BY_FFMPEG,
    BY_SNDFILE,
    DAMAGED_HEADER,
    GSM,
    GSM_BLOCK_FRAMES,
    find_codec_name,
    make_codec_error,
)
from understudy.errors import AudioTooLong, AudioUnusable
from understudy.schemas.inference.finding import Finding, FindingCode

# FLAC stores digital silence at 48 kHz in 140 bytes a second, and at 8 kHz in 24.
_LEAST_BYTES_A_SECOND = 20

__all__ = ["AudioLimits", "Clip", "open_clip"]


def open_clip(source: Source, limits: AudioLimits, *, strict: bool = False) -> Clip:
    """Open a seekable file object that holds one of the formats of `ContainerFormat`.

    Raises NotAudio when the content has another format, AudioUnusable when nothing in the file can be decoded, and
    AudioTooLong when its header promises more seconds than `limits` allow. The caller keeps `source` open until the
    clip is read, and closes both. `strict` refuses a recording that is damaged or not read as a whole.
    """
    detected = detect_container(source)
    reader = JoinedReader(source, detected, open_recording)
    try:
        limits.check_length(_find_plausible_length(reader.seconds or 0.0, detected.size))
    except AudioTooLong:
        reader.close()
        raise
    return Clip(reader, limits, strict=strict)


def _find_plausible_length(promised: float, size: int) -> float:
    """Return the seconds that a header promises; 0 where `size` bytes cannot hold them, so that the header is wrong.

    A damaged header must not cost the recording: it is then decoded, and refused where it passes the limit.
    """
    return promised if size >= promised * _LEAST_BYTES_A_SECOND else 0.0


def open_recording(source: Source, detected: Detected, beginnings: Beginnings) -> Reader:
    """Return a reader for the recording that was detected; raises AudioUnusable as the readers do."""
    part = PartOfFile(source, detected.start, detected.size) if detected.start else source
    reader = _open_reader(part, detected.kind, beginnings.within(part, detected.start))
    if detected.skipped:
        reader.findings.insert(
            0,
            Finding(
                code=FindingCode.LEADING_DATA,
                detail=f"The {detected.skipped} bytes before the sound are not part of it and were skipped.",
                bytes=detected.skipped,
            ),
        )
    return reader


def _open_reader(source: Source, kind: ContainerFormat, beginnings: Beginnings) -> Reader:
    size = beginnings.size
    layout: PcmLayout | str
    match kind:
        case ContainerFormat.WAV | ContainerFormat.W64:
            wav = kind is ContainerFormat.WAV
            header = riff.read_riff(source, size) if wav else riff.read_w64(source, size)
            skip = chunks.skip_w64 if not wav else chunks.skip_riff if header.order == "little" else chunks.skip_aiff
            if (stored := header.find_layout()) is None:
                return _open_compressed_wav(source, kind, header, skip, beginnings)
            layout = stored
            return _open_pcm(source, layout, header.block, skip, beginnings)
        case ContainerFormat.AIFF:
            layout, block = apple.read_aiff(source, size)
            if isinstance(layout, str):
                return SndfileReader(_cut_behind(source, block, chunks.skip_aiff, beginnings), kind, layout)
            return _open_pcm(source, layout, block, chunks.skip_aiff, beginnings)
        case ContainerFormat.AU:
            layout, block = au.read_au(source)
            if isinstance(layout, str):
                return SndfileReader(_cut_behind(source, block, chunks.skip_none, beginnings), kind, layout)
            return _open_pcm(source, layout, block, chunks.skip_none, beginnings)
        case ContainerFormat.CAF:
            layout, block = apple.read_caf(source, size)
            if isinstance(layout, PcmLayout):
                return _open_pcm(source, layout, block, chunks.skip_caf, beginnings)
            return _open_compressed_caf(source, block, beginnings)
    return _open_with_ffmpeg(source, kind, beginnings)


def _open_pcm(
    source: Source, layout: PcmLayout, block: Block, skip: chunks.SkipChunks, beginnings: Beginnings
) -> PcmReader:
    check_layout(layout.rate, layout.channels)
    return PcmReader(source, layout, measure_extent(source, layout, block, skip, beginnings))


def _cut_behind(source: Source, block: Block, skip: chunks.SkipChunks, beginnings: Beginnings) -> Source:
    """Return the file up to where its recording of compressed samples ends."""
    end = find_end(source, block, skip, beginnings)
    return source if end >= beginnings.size else PartOfFile(source, 0, end)


def _open_compressed_wav(
    source: Source, kind: ContainerFormat, header: riff.WavHeader, skip: chunks.SkipChunks, beginnings: Beginnings
) -> Reader:
    """Open the sound up to the end of its chunk: decoders take the bytes that pad it for sound."""
    name = find_codec_name(header.tag)
    if header.tag not in BY_FFMPEG | BY_SNDFILE:
        raise make_codec_error(name, kind)
    block_bytes = header.block_bytes if header.tag in BY_SNDFILE else 1
    extent = measure_compressed(source, header.block, block_bytes, skip, beginnings)
    part = PartOfFile(source, 0, extent.begin + extent.length)
    if header.tag == GSM:  # libsndfile counts the byte that pads an odd number of blocks as one more
        reader: Reader = SndfileReader(part, kind, name, extent.length // block_bytes * GSM_BLOCK_FRAMES)
    elif header.tag in BY_SNDFILE:
        reader = SndfileReader(part, kind, name)
    else:
        reader = _open_with_ffmpeg(part, kind)
    reader.findings.extend(extent.findings)
    reader.end = extent.end
    return reader


def _open_compressed_caf(source: Source, block: Block, beginnings: Beginnings) -> Reader:
    part = _cut_behind(source, block, chunks.skip_caf, beginnings)
    try:
        return _open_with_ffmpeg(part, ContainerFormat.CAF, beginnings)
    except AudioUnusable as error:
        table_missing = block.declared is not None and block.begin + block.declared >= beginnings.size
        if not table_missing or error.remedy != DAMAGED_HEADER:
            raise
        raise AudioUnusable(
            "The caf file is cut off: the table behind its sound, which says how long each packet is, is missing.",
            remedy="Send the whole file again. If it is stored so, repair it with the program that recorded it: "
            "nothing can be decoded without that table.",
        ) from error


def _open_with_ffmpeg(source: Source, kind: ContainerFormat, beginnings: Beginnings | None = None) -> Reader:
    from understudy.audio.decoding.ffmpeg import FfmpegReader  # loads 15 MB of libraries

    return FfmpegReader(source, kind, beginnings)
