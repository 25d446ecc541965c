"""Decode flac, ogg, opus, mp3, aac, amr, mp4, WebM, MPEG-TS and wma with FFmpeg's libraries.

FFmpeg receives a file object and never a file name; `codecs` lists what it may run. It decodes ogg, mp3 and flac in
place of libsndfile, whose Opus decoder takes three times as long, whose mp3 decoder writes to standard error, and which
refuses flac files of unknown length.
"""

from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from io import BytesIO
from itertools import chain, groupby

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.stream import Discard

from understudy.audio.decoding.audio_limits import check_layout
from understudy.audio.decoding.codecs import choose_stream, simplify_layout
from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.container_structure import walk_container
from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.containers.flac_frames import is_repeated, measure_frame
from understudy.audio.decoding.containers.mpeg.frames import read_adts_length, read_mpeg_frame, read_xing_seconds
from understudy.audio.decoding.containers.mpeg.tags import measure_file_head, measure_tags, skip_id3
from understudy.audio.decoding.containers.structure import (
    describe_change,
    describe_placeholder,
    describe_trailing,
    is_impossible,
)
from understudy.audio.decoding.ffmpeg_container import (
    counts_from_start,
    measure_late_start,
    open_container,
    read_promised_seconds,
)
from understudy.audio.decoding.frame_samples import to_float
from understudy.audio.decoding.losses import Losses, merge_findings
from understudy.audio.decoding.reader import BLOCK_VALUES, SoundBlock
from understudy.audio.decoding.source_file import PartOfFile, PartsOfFile, Source, measure_size, read_at
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding, FindingCode

# A header counts the encoder's delay and padding, which a decoder drops: up to 0.1 s and a few codec frames.
_SLACK_SECONDS, _SLACK_SAMPLES = 0.1, 4096
_FRAMED = (ContainerFormat.MP3, ContainerFormat.AAC)
# Containers whose time stamps come from the file; in others FFmpeg counts the frames.
_TIMED = (
    ContainerFormat.OGG,
    ContainerFormat.FLAC,
    ContainerFormat.MP4,
    ContainerFormat.WEBM,
    ContainerFormat.MPEGTS,
    ContainerFormat.ASF,
)
# Encoders let the sound of a whole recording begin a few frames late.
_LATE_SECONDS = 0.1
_LATE_FRAMES = 2  # of the encoder's delay in wma, which are 0.128 s at 8,000 Hz
_MAX_READ_ERRORS = 16
_MAX_DAMAGED_AT_START = 2_000  # packets that cannot be decoded, behind which there is no sound
_MAX_DAMAGED = 10_000  # packets that cannot be decoded, behind which a file is not decoded any further
_W64_PADDING = 7  # bytes behind the sound that FFmpeg takes for a part of it


def _describe_layout(frame: AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


class FfmpegReader:
    """Reads the first sound stream of a seekable file object; skips pictures and video without decoding them."""

    def __init__(self, source: Source, kind: ContainerFormat, beginnings: Beginnings | None = None) -> None:
        """Open `source`, a file in the container `kind`, and decode its first frame.

        `beginnings` are those of `source`, where they are known.

        Raises AudioUnusable when the container cannot be read, when it holds no sound, when its codec is not supported,
        or when the sample rate or the channel count is out of range.
        """
        self._kind = kind
        self._source = source
        self._size = measure_size(source)
        self._least_damage = _W64_PADDING + 1 if kind is ContainerFormat.W64 else 1
        structure = walk_container(source, kind, beginnings)
        self.findings: list[Finding] = structure.findings
        self.end: int | None = structure.end
        if structure.parts is not None and structure.parts != [(0, self._size)]:
            self._source = source = PartsOfFile(source, structure.parts)
        elif structure.end < self._size:
            self._source = source = PartOfFile(source, 0, structure.end)  # the demuxer would read the next one's parts
        self._size = measure_size(source)
        promised = read_xing_seconds(read_at(source, skip_id3(source), 64)) if kind is ContainerFormat.MP3 else None
        self._container = open_container(source, kind)
        try:
            self._frames = self._iter_frames()
            self._stream = self._select_sound()
            self._losses = Losses(timed=kind in _TIMED, counted=kind is ContainerFormat.FLAC)
            self._first = self._decode_first_frame()
            if kind is not ContainerFormat.MP3:
                promised = read_promised_seconds(self._container, self._stream, kind)
            late = self._note_late_start(fragmented=structure.fragmented)
            self._offset = late if promised is not None and promised > late else 0.0
            self._promised = self._check_promise(promised and promised - self._offset)
            self.rate, self.channels = self._first.sample_rate, self._first.layout.nb_channels
            check_layout(self.rate, self.channels)
        except AudioUnusable:
            self.close()
            raise
        exact = kind is ContainerFormat.FLAC
        self._slack = 0.0 if exact else _SLACK_SECONDS + _SLACK_SAMPLES / self.rate
        self.seconds: float | None = max(0.0, self._promised - self._slack) if self._promised else None
        self.codec = self._stream.codec_context.codec.canonical_name

    def iter_blocks(self) -> Iterator[SoundBlock]:
        counts: dict[int, int] = {}
        for frames in self._iter_uniform_runs():
            fifo, rate = AudioFifo(), 0
            for frame in frames:
                rate = frame.sample_rate
                size = max(256, BLOCK_VALUES // frame.layout.nb_channels)
                frame.pts = None  # live recordings have gaps between time stamps, which the queue refuses
                frame.time_base = Fraction(1, rate)
                fifo.write(frame)
                counts[rate] = counts.get(rate, 0) + frame.samples
                while (block := fifo.read(size)) is not None:
                    yield SoundBlock(to_float(block), rate)
            if (rest := fifo.read(0)) is not None:
                yield SoundBlock(to_float(rest), rate)
        seconds = sum(count / rate for rate, count in counts.items())
        self.findings = merge_findings(self.findings, self._losses.describe(), seconds, self._promised)
        self._compare_length(seconds)

    def close(self) -> None:
        """Free the decoder, of up to 25 MB, at once: the traceback of a refusal may hold this reader for long."""
        self._frames.close()
        if (container := self.__dict__.pop("_container", None)) is not None:
            container.close()
        for name in ("_stream", "_first"):
            self.__dict__.pop(name, None)

    def _iter_uniform_runs(self) -> Iterator[Iterable[AudioFrame]]:
        """Yield all frames, in groups of one sample format, rate and layout; notes where rate or channels change."""
        named = self.rate, self.channels
        for _, group in groupby(chain([self._first], self._frames), key=_describe_layout):
            frames = iter(group)
            first = next(frames)
            if (current := (first.sample_rate, first.layout.nb_channels)) != named:
                check_layout(*current)
                second = self._losses.seconds - first.samples / first.sample_rate
                self.findings.append(describe_change(second, *current))
                named = current
            yield chain([first], frames)

    def _note_late_start(self, *, fragmented: bool) -> float:
        """Name what lies before the first frame; return the seconds of it that the header's length counts."""
        late = measure_late_start(self._container, self._first, self._kind)
        usual = _LATE_FRAMES * self._first.samples / self._first.sample_rate if self._kind is ContainerFormat.ASF else 0
        if late <= max(_LATE_SECONDS, usual):
            return 0.0
        damaged = any(finding.code is FindingCode.GAP for finding in (*self.findings, *self._losses.describe()))
        if damaged or self._kind is ContainerFormat.FLAC:
            self._losses.add_lost_start(late)
            return 0.0
        detail = (
            f"The sound begins {late:.2f} s after the start of the {self._kind} file, which holds no sound for that "
            "time; the times of the answer count from the first sample of the sound."
        )
        self.findings.append(Finding(code=FindingCode.LATE_START, detail=detail, start=-late, end=0.0))
        return late if counts_from_start(self._stream, self._kind, fragmented=fragmented) else 0.0

    def _decode_first_frame(self) -> AudioFrame:
        """Return the first decoded frame, which has the true sample rate and channels: HE-AAC doubles the header's."""
        first = next(self._frames, None)
        if first is None:
            raise AudioUnusable(
                f"The {self._kind} file holds no samples that can be decoded; it is damaged or cut off."
            )
        return first

    def _iter_frames(self) -> Generator[AudioFrame]:
        """Yield the decoded frames, and note the packets that cannot be decoded."""
        last: Packet[AudioStream] | None = None
        damaged: list[Packet[AudioStream]] = []
        count = 0
        for packet in self._iter_packets():
            if self._is_repeated(packet, last):
                continue
            try:
                frames = self._decode_packet(packet, first=last is None)
            except av.FFmpegError:
                frames = None
            count += not frames
            if frames is None or (self._kind is ContainerFormat.AAC and not frames):  # AAC is decoded without delay
                if packet.size:
                    damaged.append(packet)
                if count >= (_MAX_DAMAGED_AT_START if last is None else _MAX_DAMAGED):
                    break
                continue
            if packet.size:
                last = packet
                self._losses.add_damage(sum(each.size for each in damaged))
                damaged.clear()
            for frame in frames:
                self._losses.add(frame)
                yield frame
        if count >= _MAX_DAMAGED:
            self._describe_damaged_rest(damaged)
        elif self._kind in _FRAMED:
            self._describe_last_frame(last, damaged)
        elif self._kind is ContainerFormat.FLAC and last is not None and not damaged:
            self._find_end(last)
        elif (count := sum(packet.size for packet in damaged)) >= self._least_damage and not self._is_named():
            detail = f"The {self._kind} file is cut off or damaged at its end: {count} bytes could not be decoded."
            self._add_truncated(detail, None)

    def _decode_packet(self, packet: "Packet[AudioStream]", *, first: bool) -> list[AudioFrame]:
        """Return the frames of a packet; of one that begins another mp3 file, those of its sound."""
        head = 0 if first or self._kind is not ContainerFormat.MP3 else measure_file_head(bytes(packet))
        if not head:
            return packet.decode()
        self._losses.add_restart()
        return self._stream.codec_context.decode(Packet(bytes(packet)[head:])) if head < packet.size else []

    def _is_repeated(self, packet: "Packet[AudioStream]", last: "Packet[AudioStream] | None") -> bool:
        if self._kind is not ContainerFormat.FLAC or last is None or last.pos is None or packet.size > last.size:
            return False
        return is_repeated(bytes(packet), bytes(last), last.pos + last.size, self._source)

    def _iter_packets(self) -> "Iterator[Packet[AudioStream]]":
        """Yield the packets; a read error does not end the file at once, because FFmpeg often finds more behind it."""
        for _ in range(_MAX_READ_ERRORS):
            position = None
            try:
                for packet in self._container.demux(self._stream):
                    position = packet.pos
                    yield packet
            except (av.FFmpegError, IndexError):  # the latter where a damaged file adds streams while it is read
                if position is None:
                    return
            else:
                return

    def _describe_last_frame(self, last: "Packet[AudioStream] | None", damaged: "list[Packet[AudioStream]]") -> None:
        """Note that the last frame of mp3 or raw AAC is cut off, and what lies behind it."""
        if last is None or last.pos is None:
            return
        data = bytes(last)
        frame = read_mpeg_frame(data)
        end = last.pos + last.size
        start = last.pos if frame is not None and frame.length > len(data) else end
        start = min((packet.pos for packet in damaged if packet.pos is not None), default=start)
        if (rest := self._size - start) <= 0:
            return
        head = read_at(self._source, start, 16)
        frame = read_mpeg_frame(head)
        length = frame.length if frame is not None else read_adts_length(head)
        if length is not None and length > rest:
            words = f"should have {length} bytes, and {rest} are present"
            self._add_truncated(f"The {self._kind} file is cut off: its last frame {words}.", length - rest)
        elif length is None and rest < 8 and head[:1] == b"\xff":
            self._add_truncated(f"The {self._kind} file is cut off: its last frame ends within its header.", None)
        elif (rest := rest - measure_tags(self._source, start, self._size)) > 0:
            self.findings.append(describe_trailing(rest))

    def _describe_damaged_rest(self, damaged: "list[Packet[AudioStream]]") -> None:
        start = min((packet.pos for packet in damaged if packet.pos is not None), default=self._size)
        detail = f"{_MAX_DAMAGED} parts of the {self._kind} file could not be decoded; its last {self._size - start} "
        self._add_truncated(f"{detail}bytes were not looked at.", self._size - start)

    def _find_end(self, last: "Packet[AudioStream]") -> None:
        """Set where a flac file ends: FFmpeg takes all bytes behind its last frame for a part of it."""
        data = bytes(last)
        length = measure_frame(data, self._stream.codec_context.extradata)
        if length is None or length == len(data):
            return
        behind = data[length:]
        tags = measure_tags(BytesIO(behind), 0, len(behind))
        if tags < len(behind) and last.pos is not None:
            self.end = last.pos + length + tags

    def _is_named(self) -> bool:
        """Return whether the container says already that the file is cut off."""
        return any(finding.code is FindingCode.TRUNCATED for finding in self.findings)

    def _add_truncated(self, detail: str, count: int | None) -> None:
        self.findings.append(Finding(code=FindingCode.TRUNCATED, detail=detail, bytes=count))

    def _compare_length(self, seconds: float) -> None:
        """Note where the decoded length is clearly not what the header promises."""
        if not self._promised:
            return
        missing = self._promised - seconds
        codes = {finding.code for finding in self.findings}
        if missing > self._slack:
            if FindingCode.TRUNCATED not in codes and self._losses.missing < missing - self._slack:
                self._add_missing(seconds, missing)
        elif -missing > self._slack + self._offset and FindingCode.JOINED not in codes:
            self.findings.append(
                Finding(
                    code=FindingCode.LENGTH_MISMATCH,
                    detail=f"The header promises {self._promised:.2f} s of sound, and {seconds:.2f} s are present; "
                    "all of it was scored.",
                    start=self._promised,
                    end=seconds,
                )
            )

    def _add_missing(self, seconds: float, missing: float) -> None:
        """Note that sound is missing: at the end of the file unless it is damaged elsewhere."""
        lost = any(finding.code is FindingCode.GAP for finding in self.findings)
        words = f"The header of the {self._kind} file promises {self._promised:.2f} s of sound, and {seconds:.2f} s "
        if lost:
            detail = f"{words}could be decoded; {missing:.2f} s are missing."
            self.findings.append(Finding(code=FindingCode.GAP, detail=detail))
        else:
            detail = f"{words}are present: it is cut off, or damaged."
            self.findings.append(Finding(code=FindingCode.TRUNCATED, detail=detail, start=seconds, end=self._promised))

    def _check_promise(self, promised: float | None) -> float:
        """Return the seconds that the header promises; 0 where it does not say, or says what cannot be true."""
        if promised is None or promised <= 0:
            return 0.0
        if not is_impossible(0, promised):
            return promised
        reason = f"The length of the sound in the header, {promised:.0f} s, cannot be true"
        self.findings.append(describe_placeholder(reason))
        return 0.0

    def _select_sound(self) -> AudioStream:
        """Return the first usable sound stream and discard all others; raises AudioUnusable without one."""
        streams = self._container.streams
        kind = self._kind
        if not streams.audio:
            content = "video but no sound" if streams.video else "no sound"
            raise AudioUnusable(f"The {kind} file holds {content}.", remedy="Send a recording that has a sound track.")
        sound = choose_stream(list(streams.audio), kind)
        for stream in streams:
            if stream.index != sound.index:
                stream.discard = Discard.all
        if len(streams.audio) > 1:
            position = [stream.index for stream in streams.audio].index(sound.index)
            self.findings.append(
                Finding(
                    code=FindingCode.UNHEARD_STREAM,
                    detail=f"The file holds {len(streams.audio)} sound tracks; track {position + 1} was scored and the "
                    "others were not.",
                )
            )
        simplify_layout(sound.codec_context)
        sound.codec_context.thread_count = 1
        if sound.codec_context.codec.name == "flac":
            sound.codec_context.options = {"err_detect": "crccheck"}  # otherwise damaged frames sound as noise
        return sound
