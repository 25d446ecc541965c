"""Find where another recording begins within a file."""

import re

from understudy.audio.decoding.containers.detect_container import ASF, TIMED_TS_PACKET, W64, detect_frames_at
from understudy.audio.decoding.containers.mpeg.frame_search import RUN_BYTES, detect_run, find_frames_from
from understudy.audio.decoding.containers.mpeg.tags import skip_id3, skip_id3_counted
from understudy.audio.decoding.source_file import Source, read_at

_MAX_FALSE = 10_000  # places that look like a beginning and are none, after which the search ends
_STEP = 1 << 20
_HEAD = 1024
_TS_RUN = 5  # packets
_PACKETS = re.compile(rb"G(?:(?:.{187}G){%d}|(?P<timed>(?:.{191}G){%d}))" % (2 * _TS_RUN, 2 * _TS_RUN), re.DOTALL)
_PACKETS_BYTES = TIMED_TS_PACKET * 2 * _TS_RUN + 5

# Marks that occur by chance about once in a million files: at least eight bytes of each are looked at.
_SIGNATURES = (
    (0, b"RIFF", re.compile(rb"RIFF.{4}WAVE", re.DOTALL)),
    (0, b"RIFX", re.compile(rb"RIFX.{4}WAVE", re.DOTALL)),
    (0, b"RF64", re.compile(rb"RF64.{4}WAVE", re.DOTALL)),
    (0, b"BW64", re.compile(rb"BW64.{4}WAVE", re.DOTALL)),
    (0, b"FORM", re.compile(rb"FORM.{4}AIF[FC]", re.DOTALL)),
    (0, b"fLaC", re.compile(rb"fLaC[\0\x80]\0\0\x22", re.DOTALL)),
    (0, b"OggS", re.compile(rb"OggS\0\x02\0{8}", re.DOTALL)),
    (0, b"\x1a\x45\xdf\xa3", re.compile(rb"\x1a\x45\xdf\xa3.{1,64}?\x42\x82.{1,8}?(?:webm|matroska)", re.DOTALL)),
    (4, b"ftyp", re.compile(rb"\0\0[\0-\3].ftyp[ -~]{4}", re.DOTALL)),
    (0, ASF, re.compile(re.escape(ASF), re.DOTALL)),
    (0, W64, re.compile(re.escape(W64), re.DOTALL)),
    (0, b"#!AMR", re.compile(rb"#!AMR(?:-WB)?\n", re.DOTALL)),
    (0, b"caff", re.compile(rb"caff\0\x01\0\0desc", re.DOTALL)),
    (0, b".snd", re.compile(rb"\.snd\0.{2}[\x18-\xfc].{4}\0\0\0.\0.{3}\0\0\0[\x01-\x80]", re.DOTALL)),
    (0, b"dns.", re.compile(rb"dns\.[\x18-\xfc].{2}\0.{4}.\0\0\0.{3}\0[\x01-\x80]\0\0\0", re.DOTALL)),
    (0, b"G\x40\x11\x10", re.compile(rb"G(?:.{187}G){%d}" % _TS_RUN, re.DOTALL)),
    (0, b"G\x40\0\x10", re.compile(rb"G(?:.{187}G){%d}" % _TS_RUN, re.DOTALL)),
    (4, b"G\x40\x11\x10", re.compile(rb".{4}G(?:.{191}G){%d}" % _TS_RUN, re.DOTALL)),
    (4, b"G\x40\0\x10", re.compile(rb".{4}G(?:.{191}G){%d}" % _TS_RUN, re.DOTALL)),
)


def begins_with_mark(data: bytes) -> bool:
    """Return whether the mark of a recording begins `data`; 24 bytes tell all but WebM and MPEG-TS."""
    return any(form.match(data) for _, _, form in _SIGNATURES)


def _find_packets(data: bytes) -> int | None:
    """Return where packets of an MPEG transport stream, which may have a time before each, follow each other."""
    found = _PACKETS.search(data)
    if found is None:
        return None
    if found["timed"] is None:
        return found.start()
    return found.start() - 4 + (TIMED_TS_PACKET if found.start() < 4 else 0)


class Beginnings:
    """Finds the beginnings of recordings in a file of `size` bytes by their marks.

    Raw mp3 and AAC have no mark: `find_next` counts them behind an ID3 tag only, because other containers hold such
    frames. `find_behind` is for places behind a recording and counts them, as it does packets that begin no table. All
    calls of each with growing offsets together read the file once.
    """

    def __init__(self, source: Source, size: int, whole: "Beginnings | None" = None, start: int = 0) -> None:
        """`source` may be what begins at byte `start` of the file of `whole`, whose searches then serve both."""
        self._source = source
        self.size = size
        self._whole = whole
        self._start = start
        self._false = 0
        self._asked: int | None = None
        self._found: int | None = None
        self._asked_behind: int | None = None
        self._found_behind: int | None = None

    def is_at(self, offset: int) -> bool:
        """Return whether a recording begins at byte `offset`."""
        data = read_at(self._source, offset, _HEAD)
        if begins_with_mark(data):
            return True
        start = skip_id3(self._source, offset) if data[:3] == b"ID3" else offset
        data = read_at(self._source, start, RUN_BYTES)
        return start < self.size and (detect_run(data) is not None or _find_packets(data) == 0)

    def find_next(self, offset: int) -> int | None:
        """Return the first beginning at byte `offset` or behind; None where there is none.

        None also behind many marks that begin nothing.
        """
        if self._whole is not None:
            found = self._whole.find_next(self._start + offset)
            return None if found is None else found - self._start
        known = self._asked is not None and offset >= self._asked and (self._found is None or offset <= self._found)
        if not known:
            self._asked, self._found = offset, self._search(offset)
        return self._found

    def find_behind(self, offset: int) -> int | None:
        """Return the first beginning at byte `offset` or behind, or the first run of frames or packets."""
        if self._whole is not None:
            found = self._whole.find_behind(self._start + offset)
            return None if found is None else found - self._start
        asked, found = self._asked_behind, self._found_behind
        if asked is None or offset < asked or (found is not None and offset > found):
            marked = self.find_next(offset)
            limit = self.size if marked is None else marked
            frames = find_frames_from(self._source, offset, limit)
            limit = limit if frames is None else frames[0]
            packets = self._find_packets(offset, limit)
            found = limit if packets is None else packets
            self._asked_behind, self._found_behind = offset, None if found >= self.size else found
        return self._found_behind

    def within(self, source: Source, start: int) -> "Beginnings":
        """Return the same for `source`, which holds the file from byte `start` on."""
        return Beginnings(source, self.size - start, self, start)

    def _find_packets(self, offset: int, limit: int) -> int | None:
        for begin in range(offset, limit, _STEP):
            data = read_at(self._source, begin, min(_STEP, limit - begin) + _PACKETS_BYTES)
            if (at := _find_packets(data)) is not None:
                return begin + at if begin + at < limit else None
        return None

    def _search(self, offset: int) -> int | None:
        while offset < self.size and self._false < _MAX_FALSE:
            data = read_at(self._source, offset, _STEP + _HEAD)
            places = [place for each in _SIGNATURES if (place := self._search_mark(data, *each)) is not None]
            if (tag := self._search_id3(data, offset)) is not None:
                places.append(tag)
            if places:
                return offset + min(places)
            offset += _STEP
        return None

    def _search_mark(self, data: bytes, before: int, mark: bytes, form: re.Pattern[bytes]) -> int | None:
        at = data.find(mark, before, _STEP + before + len(mark) - 1)
        while at >= 0 and self._false < _MAX_FALSE:
            if form.match(data, at - before):
                return at - before
            self._false += 1
            at = data.find(mark, at + 1, _STEP + before + len(mark) - 1)
        return None

    def _search_id3(self, data: bytes, offset: int) -> int | None:
        at = data.find(b"ID3", 0, _STEP + 2)
        while at >= 0 and self._false < _MAX_FALSE:
            head = data[at + 3 : at + 10]
            if len(head) == 7 and 2 <= head[0] <= 4 and max(head[3:]) < 128:
                start, tags = skip_id3_counted(self._source, offset + at)
                self._false += tags
                if start < self.size and detect_frames_at(self._source, start, self.size) is not None:
                    return at
            self._false += 1
            at = data.find(b"ID3", at + 1, _STEP + 2)
        return None
