"""Windows of a stream."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.audio.features.windows import Windower, compute_tail_padding


@given(
    total=st.integers(1, 300),
    size=st.integers(1, 60),
    hop=st.integers(1, 80),
    pieces=st.lists(st.integers(1, 50), max_size=20),
)
def test_pieces_give_the_windows_of_the_whole(total: int, size: int, hop: int, pieces: list[int]) -> None:
    sound = np.arange(1, total + 1, dtype=np.float32)
    stream, windows, start = Windower(size, hop, 10.0), [], 0
    for piece in [*pieces, total]:
        windows += stream.push(sound[start : start + piece])
        start += piece
    windows += stream.finish()
    padded = np.append(sound, np.zeros(size + hop, np.float32))
    for index, (seconds, window) in enumerate(windows):
        assert seconds == index * hop / 10.0
        np.testing.assert_array_equal(window, padded[index * hop : index * hop + size])
    last = (len(windows) - 1) * hop
    assert last < total
    assert last + size >= total or hop > size


@pytest.mark.parametrize(
    ("total", "padding"), [(0, 15_600), (160, 15_440), (15_600, 0), (15_601, 7_679), (23_280, 0), (80_000, 4_720)]
)
def test_padding_is_that_of_yamnet(total: int, padding: int) -> None:
    assert compute_tail_padding(total, 15_600, 7_680) == padding


def test_nothing_is_one_window_of_zeros() -> None:
    [(start, window)] = Windower(4, 2, 1.0).finish()
    assert start == 0
    np.testing.assert_array_equal(window, np.zeros(4))


def test_window_or_hop_of_nothing_is_refused() -> None:
    for size, hop in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="window of"):
            Windower(size, hop, 1.0)
