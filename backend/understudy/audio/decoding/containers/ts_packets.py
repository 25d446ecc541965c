"""Walk the packets of an MPEG transport stream (ISO/IEC 13818-1)."""

import re

from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import TIMED_TS_PACKET, TS_PACKET
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.source_file import Source, read_at

_STEP_PACKETS = 4096
_MAX_BREAKS = 256
# The second byte of a packet in which a table or a part of a stream begins.
_START = re.compile(rb"[\x40-\x7f]")
_SERVICES_PID, _PROGRAMS_PID = 0x11, 0
_PROGRAMS, _STREAMS = 0, 2


def walk_packets(source: Source, size: int, beginnings: Beginnings) -> Structure:
    """Return where the packets end or another recording begins: another file, or packets with other codecs."""
    structure = Structure(size)
    lead, length = (0, TS_PACKET) if read_at(source, 0, 1) == b"G" else (4, TIMED_TS_PACKET)
    packet_run = re.compile(b".{%d}" % lead + b"G(?:.{%d}G){3}" % (length - 1), re.DOTALL)
    tables = _Tables(lead, length)
    offset = end = 0
    beginning: int | None = None
    for _ in range(_MAX_BREAKS):
        end = _follow(source, offset, size, tables)
        if tables.changed_at is not None:
            structure.end = tables.changed_at
            return structure
        beginning = beginnings.find_next(max(length, end - length + 1))
        following = _find_packets(source, end, beginning or size, packet_run)
        if beginning is not None and (following is None or beginning < following):
            break
        if following is None:
            break
        offset = following
    limit = size if beginning is None else beginning
    rest = limit - end
    if -length < rest < 0:  # another recording begins within the last packet
        structure.add_cut_off("its last packet", length, length + rest)
        structure.end = limit
    elif lead < rest < length and read_at(source, end + lead, 1) == b"G":
        structure.add_cut_off("its last packet", length, rest)
        structure.end = limit
    else:
        structure.end = end
    return structure


class _Tables:
    """Follows the tables that name the programs and their streams (sections 2.4.4.3 and 2.4.4.8)."""

    def __init__(self, lead: int, length: int) -> None:
        self.lead = lead
        self.length = length
        self.changed_at: int | None = None
        """Byte of the tables that name other programs or codecs than the first ones do; None without such."""
        self._known: dict[int, bytes] = {}
        self._pids: set[int] = set()
        self._services = -1
        self._begin = 0

    def follow(self, data: bytes, offset: int) -> None:
        """Look for tables in whole packets, which lie at byte `offset` of the file."""
        for start in _START.finditer(data[self.lead + 1 :: self.length]):
            at = start.start() * self.length
            pid = int.from_bytes(data[at + self.lead + 1 : at + self.lead + 3]) & 0x1FFF
            if pid == _SERVICES_PID:
                self._services = offset + at
            elif pid == _PROGRAMS_PID or pid in self._pids:
                self._follow_table(pid, data[at + self.lead : at + self.length], offset + at)
                if self.changed_at is not None:
                    return

    def _follow_table(self, pid: int, packet: bytes, offset: int) -> None:
        section = packet[5 + packet[4] :] if packet[3] & 0x30 == 0x10 else b""
        if section[:1] != bytes([_STREAMS if pid else _PROGRAMS]):
            return
        body = section[8 : 3 + (int.from_bytes(section[1:3]) & 0xFFF) - 4]
        if pid == _PROGRAMS_PID:
            before = self._services + self.length == offset  # a program writes the table of services first
            self._begin = self._services if before else offset
            self._pids = {int.from_bytes(body[at + 2 : at + 4]) & 0x1FFF for at in range(0, len(body) - 3, 4)}
        if self._known.setdefault(pid, body) != body:
            self.changed_at = self._begin


def _follow(source: Source, offset: int, size: int, tables: _Tables) -> int:
    """Return the offset behind the packets in a row from byte `offset` on, or of those with a changed table."""
    length, step = tables.length, tables.length * _STEP_PACKETS
    while offset + length <= size:
        data = read_at(source, offset, step)
        marks = data[tables.lead :: length][: len(data) // length]
        whole = (len(marks) - len(marks.lstrip(b"G"))) * length
        tables.follow(data[:whole], offset)
        if tables.changed_at is not None:
            break
        offset += whole
        if whole < step:
            break
    return offset


def _find_packets(source: Source, offset: int, size: int, run: re.Pattern[bytes]) -> int | None:
    """Return the next place where packets follow each other; None where there is none."""
    step = TIMED_TS_PACKET * _STEP_PACKETS
    while offset < size:
        if found := run.search(read_at(source, offset, step + 4 * TIMED_TS_PACKET)):
            return offset + found.start()
        offset += step
    return None
