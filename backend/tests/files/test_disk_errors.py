"""A disk that refuses is told apart from everything else that can go wrong with files."""

from pathlib import Path

import pytest

from understudy.errors import StorageUnavailable
from understudy.files.disk_errors import translate_disk_errors

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_named_with_its_place() -> None:
    with pytest.raises(StorageUnavailable, match=r"models/: No space left"), translate_disk_errors("models/"):
        FULL.write_bytes(b"x")


def test_any_other_failure_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), translate_disk_errors("models/"):
        (tmp_path / "absent").read_bytes()
