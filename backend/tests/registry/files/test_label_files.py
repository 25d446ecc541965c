import json
from pathlib import Path

import pytest

from understudy.errors import SpecInvalid
from understudy.registry.files.label_files import list_paths_beside, read_label_file
from understudy.registry.files.model_files import ModelFiles
from understudy.settings import Settings

WANTED = ("dog", "rain", "crying baby")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "dog\nrain\ncrying baby\n"),
        ("labels.txt", "dog\r\n\r\n rain \r\ncrying baby"),
        ("labels.txt", "0 dog\n1 rain\n2 crying baby\n"),
        ("labels.txt", "0: dog\n1: rain\n2: crying baby\n"),
        ("labels", "dog\nrain\ncrying baby\n"),
        ("labels.json", json.dumps(WANTED)),
        ("labels.json", json.dumps({"labels": WANTED})),
        ("labels.json", json.dumps({"id2label": {"2": "crying baby", "0": "dog", "1": "rain"}})),
        ("labels.json", json.dumps({"10": "x"} | {str(i): f"{i}" for i in range(10)})),
        ("class_names.json", json.dumps({"crying baby": 2, "dog": 0, "rain": 1})),
        ("class_map.csv", "index,mid,display_name\n0,/m/a,dog\n1,/m/b,rain\n2,/m/c,crying baby\n"),
        ("class_names.csv", "id;label\n2;crying baby\n0;dog\n1;rain\n"),
        ("class_names.csv", "dog\nrain\ncrying baby\n"),
        ("class_names.csv", "0,dog\n1,rain\n2,crying baby\n"),
    ],
)
def test_the_usual_forms_are_read_in_the_order_of_the_outputs(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    wanted = (*map(str, range(10)), "x") if '"10"' in text else WANTED
    assert read_label_file(tmp_path / name, name).labels == wanted


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("labels.txt", "\n \n", "non-empty"),
        ("labels.txt", "dog\ndog\n", "may occur once"),
        ("labels.json", "{", "not valid JSON"),
        ("labels.json", "[" * 100_000, "not valid JSON"),
        ("labels.json", "3", "no list of labels"),
        ("labels.json", '{"dog": 0, "rain": 2}', "no list of labels"),
        ("labels.json", '{"dog": 1, "rain": true}', "no list of labels"),
        ("labels.json", '["dog", 3]', "no list of labels"),
        ("labels.json", '["dog", "\\u0000"]', "no usable labels"),
        ("labels.json", '["dog", "\\ud800"]', "labels.json: "),
        ("labels.csv", "file,score\na.wav,0.5\n", "no column of labels"),
        ("labels.csv", "index,label\n0,dog\n2,rain\n", "do not count from 0"),
        ("labels.csv", "label,index\ndog\n", "no column of labels"),
    ],
)
def test_a_file_without_a_clear_list_of_labels_is_refused_by_its_name(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SpecInvalid, match=reason) as refused:
        read_label_file(tmp_path / name, name)
    assert name in refused.value.detail


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match=r"labels\.txt cannot be read"):
        read_label_file(tmp_path, "labels.txt")


def test_the_files_beside_a_model_are_those_with_its_stem_or_a_usual_name() -> None:
    paths = list(list_paths_beside("models/head.v2.keras", folder=False))
    assert paths[0] == "models/head.v2.labels.txt"
    assert {"models/labels.txt", "models/labels.json", "models/class_names.csv"} < set(paths)
    assert next(iter(list_paths_beside("models/yamnet", folder=True))) == "models/yamnet.labels.txt"


def test_label_files_are_listed_also_where_one_cannot_be_read(settings: Settings, tmp_path: Path) -> None:
    (settings.models_dir / "head.onnx").write_text("x")
    (settings.models_dir / "labels.txt").write_bytes("пищит\nжжжж\n".encode("cp1251"))
    (settings.models_dir / "class_names.json").write_text('["dog", "rain"]')
    (tmp_path / "outside.txt").write_text("secret\nwords\n")
    (settings.models_dir / "head.labels.txt").symlink_to(tmp_path / "outside.txt")
    found = {each.file_path: each for each in ModelFiles(settings).read_label_files("models/head.onnx")}
    assert set(found) == {"models/labels.txt", "models/class_names.json"}
    assert found["models/class_names.json"].labels == ("dog", "rain")
    assert found["models/labels.txt"].labels is None
    assert "Save the file as UTF-8" in (found["models/labels.txt"].note or "")


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_a_sidecar_in_another_encoding_is_read(settings: Settings, encoding: str) -> None:
    (settings.models_dir / "head.spec.json").write_bytes('{"labels": ["forêt", "mer"]}'.encode(encoding))
    spec = ModelFiles(settings).read_sidecar("models/head.onnx")
    assert spec is not None
    assert spec.labels == ("forêt", "mer")


def test_a_sidecar_in_an_unknown_encoding_is_refused_by_its_name(settings: Settings) -> None:
    (settings.models_dir / "head.spec.json").write_bytes('{"labels": ["пищит", "жжжж"]}'.encode("cp1251"))
    with pytest.raises(SpecInvalid, match=r"models/head\.spec\.json is neither UTF-8"):
        ModelFiles(settings).read_sidecar("models/head.onnx")


def test_a_model_whose_name_leaves_no_room_for_a_sidecar_has_none(settings: Settings) -> None:
    path = f"models/{'m' * 250}.onnx"
    (settings.home / path).write_text("x")
    assert ModelFiles(settings).read_sidecar(path) is None
    assert ModelFiles(settings).read_label_files(path) == []
