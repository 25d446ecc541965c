"""Embeddings are those that serving computes, and are computed once."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from understudy.audio.features.log_mel import compute_log_mel
from understudy.errors import TrainingDataInvalid
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.training.clips.synthesis import synthesize
from understudy.training.embeddings import EmbeddingCache, embed_recordings
from understudy.yamnet.constants import SAMPLE_RATE


@pytest.fixture
def cache(stand_in: Path, tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "embeddings", YamnetBackbone.load(stand_in), max_seconds=60)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "1-rain.wav"
    soundfile.write(path, synthesize("rain", 2.0, 500), SAMPLE_RATE)
    return path


def test_each_row_is_the_embedding_of_one_window(cache: EmbeddingCache, clip: Path, stand_in: Path) -> None:
    samples, _ = soundfile.read(clip, dtype="float32")
    whole = 95 * 160 + 400
    frames = compute_log_mel(np.pad(samples, (0, whole + 3 * 7680 - len(samples))))
    patches = np.stack([frames[start : start + 96] for start in range(0, 4 * 48, 48)])
    np.testing.assert_allclose(cache.get(clip), YamnetBackbone.load(stand_in).embed(patches), atol=1e-5)


def test_a_clip_is_embedded_once_whatever_its_name(
    cache: EmbeddingCache, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cache.get(clip)
    renamed = clip.rename(clip.with_name("2-rain.wav"))

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(YamnetBackbone, "embed", never)
    np.testing.assert_array_equal(cache.get(renamed), first)


def test_a_changed_clip_is_embedded_anew(cache: EmbeddingCache, clip: Path) -> None:
    before = cache.get(clip)
    soundfile.write(clip, synthesize("rain", 2.0, 501), SAMPLE_RATE)
    assert not np.array_equal(cache.get(clip), before)


@pytest.mark.parametrize("content", [b"", b"not audio", b"RIFF\x10\0\0\0WAVEfmt "], ids=["empty", "text", "cut off"])
def test_an_unreadable_clip_is_named(content: bytes, cache: EmbeddingCache, clip: Path) -> None:
    broken = clip.with_name("3-broken.wav")
    broken.write_bytes(content)
    with pytest.raises(TrainingDataInvalid, match=r"3-broken\.wav"):
        embed_recordings(cache, [clip, broken], 2, lambda *_: None)


def test_progress_counts_the_clips(cache: EmbeddingCache, clip: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    embed_recordings(cache, [clip, clip], 1, lambda *step: seen.append(step))
    assert seen == [("embed", 1, 2), ("embed", 2, 2)]
