"""The limit of what is kept on this machine beside the store."""

import os
from pathlib import Path

import pytest

from understudy.object_store.file_cache import FileCache


@pytest.fixture
def entries(tmp_path: Path) -> list[Path]:
    """Three folders of 1,000 bytes each."""
    made = [tmp_path / "compiled" / name for name in "abc"]
    for entry in made:
        entry.mkdir(parents=True)
        (entry / "model.onnx").write_bytes(bytes(1000))
    return made


def _fill(cache: FileCache, entries: list[Path], marks: Path) -> None:
    for hours, entry in enumerate(reversed(entries)):
        cache.add(entry)
        os.utime(marks / f"compiled-{entry.name}", (1e9 + 3600 * hours,) * 2)


def test_what_was_not_used_for_the_longest_time_goes_first(entries: list[Path], tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "marks", 2000)
    _fill(cache, entries, tmp_path / "marks")
    cache.mark_used(entries[2])
    assert cache.evict(frozenset()) == [entries[1]]
    assert [each.exists() for each in entries] == [True, False, True]
    assert [cache.has(each) for each in entries] == [True, False, True]
    assert cache.evict(frozenset()) == []


def test_what_is_in_use_stays(entries: list[Path], tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "marks", 0)
    _fill(cache, entries, tmp_path / "marks")
    assert sorted(cache.evict({"b"})) == [entries[0], entries[2]]
    assert entries[1].exists()


def test_what_the_store_lacks_is_never_deleted(entries: list[Path], tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "marks", 0)
    cache.add(entries[0])
    cache.mark_used(entries[1])
    assert cache.evict(frozenset()) == [entries[0]]
    assert entries[1].exists()
    assert not cache.has(entries[1])
