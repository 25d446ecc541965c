"""The digest of a source, and its copy."""

import hashlib
import os
from pathlib import Path

import pytest

from understudy.compiler.model_source import compute_digest, copy_source, measure_size
from understudy.errors import FileMissing, FormatUnknown, PathRefused, TooLarge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "index").write_bytes(b"weights")
    return folder


def test_a_files_digest_is_the_sha256_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    path.write_bytes(b"x" * 3_000_000)
    assert compute_digest(path) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert measure_size(path) == 3_000_000


def test_a_folders_digest_follows_content_and_names_but_not_its_place(folder: Path, tmp_path: Path) -> None:
    before = compute_digest(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    assert compute_digest(moved) == before
    (moved / "variables" / "index").rename(moved / "variables" / "data")
    renamed = compute_digest(moved)
    assert renamed != before
    (moved / "variables" / "data").write_bytes(b"Weights")
    assert compute_digest(moved) != renamed


def test_a_folders_digest_is_built_as_documented(folder: Path) -> None:
    lines = [
        f"saved_model.pb\0{hashlib.sha256(b'graph').hexdigest()}\n",
        f"variables/index\0{hashlib.sha256(b'weights').hexdigest()}\n",
    ]
    assert compute_digest(folder) == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert measure_size(folder) == len(b"graphweights")


def test_the_digest_is_that_of_the_copy(folder: Path, tmp_path: Path) -> None:
    assert copy_source(folder, tmp_path / "copy", 1000) == compute_digest(folder) == compute_digest(tmp_path / "copy")


def test_a_link_inside_the_folder_is_copied_as_a_file(folder: Path, tmp_path: Path) -> None:
    (folder / "alias").symlink_to("saved_model.pb")
    assert copy_source(folder, tmp_path / "copy", 1000) == compute_digest(folder)
    assert not (tmp_path / "copy" / "alias").is_symlink()


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside"])
def test_a_link_that_leaves_the_folder_is_refused(folder: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_text("secret")
    (folder / "alias").symlink_to(target)
    for ask in (compute_digest, measure_size):
        with pytest.raises(PathRefused, match="alias"):
            ask(folder)


def test_a_link_to_a_folder_is_refused_since_its_files_would_escape_the_digest(folder: Path) -> None:
    (folder / "alias").symlink_to("variables", target_is_directory=True)
    with pytest.raises(PathRefused, match="link to a folder"):
        compute_digest(folder)


def test_missing_files_pipes_and_oversize_have_errors_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        compute_digest(tmp_path / "nothing.keras")
    (tmp_path / "file").write_bytes(b"12345")
    with pytest.raises(FileMissing):
        compute_digest(tmp_path / "file" / "below")
    with pytest.raises(TooLarge, match="5 bytes; 4 are allowed"):
        copy_source(tmp_path / "file", tmp_path / "copy", 4)
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(FormatUnknown, match="neither"):
        compute_digest(tmp_path / "pipe.keras")
