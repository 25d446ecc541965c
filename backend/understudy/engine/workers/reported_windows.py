"""Takes the windows of a recording that workers report while they score it."""

from collections.abc import Collection

from understudy.engine.wire.channel import Frame, ProtocolError
from understudy.engine.wire.content import unpack
from understudy.engine.wire.messages import ClipWindows
from understudy.engine.wire.window_codec import decode_clip_windows
from understudy.inference.pipeline.score_accumulator import MAX_WINDOWS
from understudy.inference.pipeline.window_reporter import OnWindows

_MAX_BYTES = 8 << 20


class ReportedWindows:
    """Hands each window on once, also where the recording was begun again by another worker."""

    def __init__(self, labels: Collection[str], on_windows: OnWindows) -> None:
        self._labels = labels
        self._on_windows = on_windows
        self._count = 0

    def take(self, message: ClipWindows, frame: Frame) -> None:
        """Hand on the windows of the message; raises ValueError and ProtocolError for what no worker sends."""
        windows = decode_clip_windows(unpack(frame, _MAX_BYTES), self._labels)
        if message.first > self._count or self._count + len(windows) > MAX_WINDOWS:
            raise ProtocolError(f"{len(windows)} windows from {message.first} on, where {self._count} came before")
        fresh = windows[self._count - message.first :]
        self._count += len(fresh)
        if fresh:
            self._on_windows(fresh)
