"""Files of running processes are told apart from those that a crash left."""

from pathlib import Path

import pytest
from filelock import lock_descriptor

from understudy.files import file_ownership
from understudy.files.file_ownership import create_owned, is_owned, remove_if_left_over


def test_a_file_is_removed_only_after_its_owner_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "part"
    with create_owned(path):
        assert is_owned(path)
        assert not remove_if_left_over(path)
    assert not is_owned(path)
    assert remove_if_left_over(path)
    assert not path.exists()


def test_a_file_that_is_swept_away_before_it_is_locked_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "part"
    lock = lock_descriptor
    calls = 0

    def sweep_first(descriptor: int, *, blocking: bool = True) -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            path.unlink()
        return lock(descriptor, blocking=blocking)

    monkeypatch.setattr(file_ownership, "lock_descriptor", sweep_first)
    with create_owned(path):
        assert path.exists()
        assert is_owned(path)
    assert calls > 1
