"""A digest is computed once, and again for another file of the same path."""

import hashlib
from pathlib import Path

import pytest

from understudy.files import known_digests
from understudy.files.known_digests import FileReplaced, KnownDigests
from understudy.files.regular_file import open_regular


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once_and_again_when_another_took_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other, digests = tmp_path / "file", tmp_path / "other", KnownDigests()
    file.write_bytes(b"one")
    other.write_bytes(b"two")
    assert digests.compute(file) == _hash(b"one")
    with monkeypatch.context() as patch:
        patch.setattr(known_digests, "open_regular", None)
        assert digests.compute(file) == _hash(b"one")
    other.replace(file)
    assert digests.compute(file) == _hash(b"two")


def test_a_file_that_is_replaced_meanwhile_has_no_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_bytes(b"one")
    other.write_bytes(b"two")

    def replace(path: Path) -> object:
        found = open_regular(path)
        other.replace(file)
        return found

    monkeypatch.setattr(known_digests, "open_regular", replace)
    with pytest.raises(FileReplaced):
        KnownDigests().compute(file)
