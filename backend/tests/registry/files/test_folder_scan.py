"""The files of `models/` are listed whatever lies there."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.types import ModelFactory
from understudy.errors import StorageUnavailable
from understudy.registry.files import folder_scan
from understudy.registry.files.folder_scan import scan_folder


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse names that are not Unicode")
def test_a_name_that_is_not_utf8_is_listed_with_what_to_do(tmp_path: Path, make_model: ModelFactory) -> None:
    make_model(tmp_path / "good.onnx")
    odd = os.fsencode(tmp_path) + b"/b\xff\xfed.onnx"
    make_model(tmp_path / "copy.onnx").rename(os.fsdecode(odd))
    inside = tmp_path / "saved"
    inside.mkdir()
    (inside / "saved_model.pb").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(inside) + b"/b\xff")).write_bytes(b"yy")
    found = scan_folder(tmp_path)
    assert [file.file_path for file in found] == ["models/b\ufffd\ufffdd.onnx", "models/good.onnx", "models/saved"]
    assert [file.note is not None for file in found] == [True, False, False]
    assert "Rename it" in (found[0].note or "")
    assert found[2].bytes == 3
    for file in found:
        file.model_dump_json().encode()


def test_the_backbone_is_listed_with_what_it_is(tmp_path: Path, make_model: ModelFactory) -> None:
    make_model(tmp_path / "good.onnx")
    make_model(tmp_path / "yamnet.onnx")
    found = {file.file_path: file.note for file in scan_folder(tmp_path, tmp_path / "x" / ".." / "yamnet.onnx")}
    assert found["models/good.onnx"] is None
    assert "no model of its own" in (found["models/yamnet.onnx"] or "")


def test_odd_entries_do_not_hide_the_others(tmp_path: Path, make_model: ModelFactory) -> None:
    make_model(tmp_path / "good.onnx")
    (tmp_path / "dangling.onnx").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.onnx").symlink_to(tmp_path / "loop.onnx")
    (tmp_path / "folder.onnx").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.onnx")
    assert [file.file_path for file in scan_folder(tmp_path)] == ["models/good.onnx"]


def test_a_time_that_no_date_has_is_the_last_or_the_first_one() -> None:
    assert folder_scan._to_time(1e18) == datetime.max.replace(tzinfo=UTC)
    assert folder_scan._to_time(-1e18) == datetime.min.replace(tzinfo=UTC)


def test_a_file_that_is_gone_before_it_is_looked_at_is_left_out(
    tmp_path: Path, make_model: ModelFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model(tmp_path / "good.onnx")
    gone = make_model(tmp_path / "gone.onnx")
    measure = folder_scan._measure_bytes

    def delete_first(entry: Path) -> int:
        if entry == gone:
            entry.unlink()
        return measure(entry)

    monkeypatch.setattr(folder_scan, "_measure_bytes", delete_first)
    assert [file.file_path for file in scan_folder(tmp_path)] == ["models/good.onnx"]


def test_a_folder_that_cannot_be_read_is_a_problem_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(StorageUnavailable, match="Permission denied"):
        scan_folder(tmp_path)
