"""A disk that refuses is told apart from everything else that can go wrong with files."""

from pathlib import Path

import pytest

from understudy.disk_errors import disk_refusals_named
from understudy.errors import StorageUnavailable

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_named_with_its_place() -> None:
    with pytest.raises(StorageUnavailable, match=r"models/: No space left"), disk_refusals_named("models/"):
        FULL.write_bytes(b"x")


def test_any_other_failure_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk_refusals_named("models/"):
        (tmp_path / "absent").read_bytes()
