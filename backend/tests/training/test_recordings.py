"""Folders of recordings become labels and folds, or an error that names what is wrong."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from understudy.errors import TrainingDataInvalid
from understudy.training.recordings import find_recordings


def _touch(folder: Path, names: Sequence[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_labels_are_folders_and_folds_the_number_before_the_dash(tmp_path: Path) -> None:
    _touch(tmp_path, ["rain/2-77-A.ogg", "dog/1-5-A.OGG", "dog/2-9.wav", "rain/1_x.flac"])
    found = [(item.path.name, item.label, item.fold) for item in find_recordings(tmp_path, "prefix")]
    assert found == [
        ("1-5-A.OGG", "dog", "1"),
        ("2-9.wav", "dog", "2"),
        ("1_x.flac", "rain", "1"),
        ("2-77-A.ogg", "rain", "2"),
    ]


def test_what_is_no_recording_is_passed_over(tmp_path: Path) -> None:
    clips = ["a/1-1.wav", "a/2-1.wav", "b/1-1.wav", "b/2-1.wav"]
    _touch(tmp_path, [*clips, "README.txt", "a/notes.txt", "a/.1-hidden.wav"])
    assert len(find_recordings(tmp_path, "prefix")) == len(clips)


def test_a_table_gives_the_folds(tmp_path: Path) -> None:
    data = _touch(tmp_path / "data", ["a/x.wav", "a/y.wav", "b/x.wav", "b/y.wav"])
    table = tmp_path / "folds.csv"
    table.write_text("file,fold\na/x.wav,train\na/y.wav,test\nb\\x.wav,train\nb/y.wav,test\n", encoding="utf-8-sig")
    assert [item.fold for item in find_recordings(data, table)] == ["train", "test", "train", "test"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "no clips"),
        (["a/1-1.wav", "a/2-1.wav"], "only the label a"),
        (["a/1-1.wav", "b/1-1.wav"], "one fold"),
        (["a/1-1.wav", "a/2-1.wav", "b/2-1.wav", "b/2-2.wav"], "All clips of b"),
        (["a/1-1.wav", "a/2-1.wav", "b/1-1.wav", "b/nofold.wav"], r"nofold\.wav"),
    ],
    ids=["empty", "one label", "one fold", "label in one fold", "no fold in the name"],
)
def test_recordings_that_cannot_be_evaluated_are_refused(names: list[str], words: str, tmp_path: Path) -> None:
    _touch(tmp_path, names)
    with pytest.raises(TrainingDataInvalid, match=words):
        find_recordings(tmp_path, "prefix")


@pytest.mark.parametrize(
    ("content", "words"),
    [("file,fold\na/x.wav,1\n", r"a/y\.wav"), ("name,part\nx,1\n", "fold table"), ("\0\xff", "fold table")],
    ids=["clip left out", "other columns", "no table"],
)
def test_a_table_that_does_not_fit_is_refused(content: str, words: str, tmp_path: Path) -> None:
    data = _touch(tmp_path / "data", ["a/x.wav", "a/y.wav", "b/x.wav"])
    table = tmp_path / "folds.csv"
    table.write_text(content, encoding="latin-1")
    with pytest.raises(TrainingDataInvalid, match=words):
        find_recordings(data, table)


def test_a_missing_folder_or_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataInvalid, match="nowhere"):
        find_recordings(tmp_path / "nowhere", "prefix")
    with pytest.raises(TrainingDataInvalid, match=r"none\.csv"):
        find_recordings(tmp_path, tmp_path / "none.csv")
