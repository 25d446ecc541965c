"""Read uncompressed samples from a stretch of a file."""

from collections.abc import Iterator

from understudy.audio.decoding.audio_limits import check_layout
from understudy.audio.decoding.pcm.encoding import PcmLayout, decode
from understudy.audio.decoding.pcm.extent import Extent
from understudy.audio.decoding.reader import BLOCK_VALUES, SoundBlock
from understudy.audio.decoding.source_file import Source
from understudy.errors import AudioUnusable
from understudy.schemas.inference.finding import Finding


class PcmReader:
    """Reads samples of a known layout and scales integers to [-1, 1).

    libsndfile would call back into Python for every eight kilobytes of an upload, which is slow for short clips, and
    it believes lengths that cannot be true.
    """

    def __init__(self, source: Source, layout: PcmLayout, extent: Extent) -> None:
        """Raises AudioUnusable when the sample rate or the channel count is out of range."""
        check_layout(layout.rate, layout.channels)
        self.findings: list[Finding] = list(extent.findings)
        self.end: int | None = extent.end
        self.rate = layout.rate
        self.channels = layout.channels
        self.codec = layout.encoding.value
        self._source = source
        self._layout = layout
        self._begin = extent.begin
        self._frames = extent.length // layout.frame_bytes
        self.seconds: float | None = self._frames / self.rate

    def iter_blocks(self) -> Iterator[SoundBlock]:
        frame_bytes = self._layout.frame_bytes
        step = max(256, BLOCK_VALUES // self.channels)
        for done in range(0, self._frames, step):
            self._source.seek(self._begin + done * frame_bytes)
            size = min(step, self._frames - done) * frame_bytes
            data = self._source.read(size)
            if len(data) < size:
                raise AudioUnusable(f"The file became {size - len(data)} bytes shorter while it was read.")
            yield SoundBlock(decode(data, self._layout), self.rate)

    def close(self) -> None:
        """Do nothing: the reader holds no resources, and the file object stays open."""
