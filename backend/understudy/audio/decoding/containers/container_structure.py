"""Walk the parts of a container, and find what is missing, damaged or left over.

A decoder reads a file that was cut off as a shorter recording, and the answer to it would look right. A structure that
was written for an unknown length, such as a live WebM, promises nothing. At most MAX_PARTS parts are looked at; what
lies behind them is left to the decoder, which finds gaps and a missing end by the time stamps.
"""

from understudy.audio.decoding.containers.amr_frames import walk_amr
from understudy.audio.decoding.containers.asf_objects import walk_asf
from understudy.audio.decoding.containers.beginnings import Beginnings
from understudy.audio.decoding.containers.detect_container import ContainerFormat
from understudy.audio.decoding.containers.flac_frames import walk_flac
from understudy.audio.decoding.containers.frame_runs import walk_frames
from understudy.audio.decoding.containers.mp4_boxes import walk_boxes
from understudy.audio.decoding.containers.ogg_pages import walk_pages
from understudy.audio.decoding.containers.structure import Structure
from understudy.audio.decoding.containers.ts_packets import walk_packets
from understudy.audio.decoding.containers.webm_elements import walk_elements
from understudy.audio.decoding.source_file import Source, measure_size

MAX_PARTS = 20_000
"""Most boxes, elements or pages that are looked at."""


def walk_container(source: Source, kind: ContainerFormat, beginnings: Beginnings | None = None) -> Structure:
    """Return what the container's structure says about the file; leaves its position at the start.

    Another recording, or bytes that are no part of this one, may lie behind `end`. `beginnings` are those of the same
    source, where they are known. Raises AudioUnusable for an mp4 file without the box that describes its sound.
    """
    size = measure_size(source)
    beginnings = beginnings or Beginnings(source, size)
    match kind:
        case ContainerFormat.MP4:
            structure = walk_boxes(source, size, MAX_PARTS, beginnings)
        case ContainerFormat.WEBM:
            structure = walk_elements(source, size, MAX_PARTS, beginnings)
        case ContainerFormat.OGG:
            structure = walk_pages(source, size, MAX_PARTS, beginnings)
        case ContainerFormat.MPEGTS:
            structure = walk_packets(source, size, beginnings)
        case ContainerFormat.ASF:
            structure = walk_asf(source, size, beginnings)
        case ContainerFormat.AMR:
            structure = walk_amr(source, size, beginnings)
        case ContainerFormat.FLAC:
            structure = walk_flac(source, size, beginnings)
        case ContainerFormat.MP3 | ContainerFormat.AAC:
            structure = walk_frames(source, kind, size, beginnings)
        case _:
            structure = Structure(size)
    source.seek(0)
    return structure
