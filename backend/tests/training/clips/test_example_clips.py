"""The examples beside a trained head cover its labels, stay within the limits and are never taken for another's."""

import csv
from pathlib import Path

import numpy as np
import pytest

from understudy.errors import RequestInvalid
from understudy.registry.files.examples_csv import read_folder
from understudy.settings import Settings
from understudy.training.clips.example_clips import choose_clips, refuse_foreign_folder, remove_examples, write_examples
from understudy.training.recordings import Recording


def _make_recordings(folder: Path, counts: dict[str, int]) -> list[Recording]:
    found = []
    for label, count in counts.items():
        for number in range(count):
            path = folder / f"{number % 5}-{label}{number}.wav"
            path.write_bytes(bytes(100))
            found.append(Recording(path, label, str(number % 5)))
    return found


def test_a_dozen_clips_cover_every_label_and_only_large_labels_give_some_up(tmp_path: Path) -> None:
    recordings = _make_recordings(tmp_path, {"a": 40, "b": 20, "c": 19, "d": 2})
    chosen = choose_clips(recordings, Settings(home=tmp_path), seed=1)
    labels = [recordings[clip.index].label for clip in chosen]
    assert {label: labels.count(label) for label in "abcd"} == {"a": 4, "b": 3, "c": 3, "d": 2}
    held_out = [recordings[clip.index].label for clip in chosen if clip.held_out]
    assert sorted(held_out) == ["a", "a", "b"], "at most one of twenty"
    assert choose_clips(recordings, Settings(home=tmp_path), seed=1) == chosen
    assert choose_clips(recordings, Settings(home=tmp_path), seed=2) != chosen


def test_more_labels_than_a_dozen_get_a_clip_each(tmp_path: Path) -> None:
    recordings = _make_recordings(tmp_path, {f"label{number}": 2 for number in range(30)})
    chosen = choose_clips(recordings, Settings(home=tmp_path), seed=0)
    assert {recordings[clip.index].label for clip in chosen} == {f"label{number}" for number in range(30)}
    assert len(chosen) == 30


@pytest.mark.parametrize(
    ("limit", "count"), [({"max_examples": 3}, 3), ({"max_example_bytes": 99}, 0), ({"max_examples_bytes": 250}, 2)]
)
def test_the_limits_of_a_registration_are_kept(limit: dict[str, int], count: int, tmp_path: Path) -> None:
    recordings = _make_recordings(tmp_path, {"a": 10, "b": 10})
    assert len(choose_clips(recordings, Settings(home=tmp_path).model_copy(update=limit), seed=0)) == count


def test_odd_names_and_near_ties_are_written_so_that_a_registration_reads_them(tmp_path: Path) -> None:
    clips = [tmp_path / "1-a b;\u00e9.wav", tmp_path / "sub" / "1-a b;\u00e9.wav"]
    for clip in clips:
        clip.parent.mkdir(exist_ok=True)
        clip.write_bytes(b"sound")
    scores = [np.array([0.7, 0.2, 0.1], np.float32), np.array([0.4501, 0.45, 0.0999], np.float32)]
    labels = ["file", 'a, "b"', "score:x"]
    written = write_examples(tmp_path / "head.keras", "0" * 64, labels, clips, scores)
    found = [each.expected for each in read_folder(written)]
    assert [each.label for each in found] == ["file", None]
    assert found[0].scores == {"file": 0.7, 'a, "b"': 0.2, "score:x": 0.1}
    assert len({each.file for each in found}) == 2
    with written.open(encoding="utf-8") as file:
        assert {row["tolerance"] for row in csv.DictReader(file)} == {"0.001"}


def test_only_a_folder_that_a_training_wrote_is_replaced(tmp_path: Path) -> None:
    model = tmp_path / "head.keras"
    folder = tmp_path / "head.examples"
    folder.mkdir()
    (folder / "mine.wav").touch()
    with pytest.raises(RequestInvalid, match=r"head\.examples exists"):
        refuse_foreign_folder(model)
    remove_examples(model)
    assert (folder / "mine.wav").exists()
    (folder / "model.sha256").touch()
    refuse_foreign_folder(model)
    write_examples(model, "0" * 64, ["a", "b"], [], [])
    assert sorted(path.name for path in folder.iterdir()) == ["examples.csv", "model.sha256"]
