"""The windows that workers report reach the caller once each, and what no worker sends is refused."""

import pytest

from understudy.engine.wire.channel import Frame, ProtocolError
from understudy.engine.wire.messages import ClipWindows
from understudy.engine.wire.window_codec import encode_clip_windows
from understudy.engine.workers import reported_windows
from understudy.engine.workers.reported_windows import ReportedWindows
from understudy.schemas.inference.prediction import Window


def window(start: int, label: str = "a") -> Window:
    return Window(start=start, end=start + 1, label=label, score=0.5, scores={label: 0.5})


UNSCORED = Window(start=3, end=4, label=None, score=None, scores=None)


class Reports:
    def __init__(self) -> None:
        self.found: list[Window] = []
        self._windows = ReportedWindows(("a", "b"), self.found.extend)

    def send(self, first: int, *windows: Window) -> None:
        self.send_raw(first, encode_clip_windows(windows))

    def send_raw(self, first: int, content: bytes) -> None:
        self._windows.take(ClipWindows(request=1, first=first), Frame(b"", content, []))


def test_a_recording_that_another_worker_begins_again_has_each_window_once() -> None:
    reports = Reports()
    reports.send(0, window(0), window(1))
    reports.send(0, window(0))
    reports.send(1, window(1), window(2))
    reports.send(3, UNSCORED)
    assert [each.start for each in reports.found] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("first", "content"),
    [
        (1, encode_clip_windows([window(0)])),
        (0, encode_clip_windows([window(0, "c")])),
        (0, b"[{}]"),
        (0, b"not JSON"),
        (0, b'[{"start":0,"end":1,"label":null,"score":null,"scores":{"a":0.5}}]'),
        (0, b'[{"start":0,"end":1,"label":"a","score":0.5,"scores":{"a":NaN}}]'),
        (0, b'[{"start":0,"end":1,"label":"c","score":0.5,"scores":{"a":0.5}}]'),
    ],
    ids=["gap", "label", "no window", "no JSON", "null in part", "not finite", "top label"],
)
def test_what_no_worker_sends_is_refused(first: int, content: bytes) -> None:
    reports = Reports()
    with pytest.raises((ValueError, ProtocolError)):
        reports.send_raw(first, content)
    assert reports.found == []


def test_more_windows_than_a_recording_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported_windows, "MAX_WINDOWS", 2)
    reports = Reports()
    reports.send(0, window(0), window(1))
    with pytest.raises(ProtocolError):
        reports.send(2, window(2))
