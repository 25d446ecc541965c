"""Files and folders in a store: whole or not at all, in parts that are verified."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from understudy.errors import Misconfigured, StoredFileDamaged
from understudy.object_store import shared_files
from understudy.object_store.manifest import Manifest
from understudy.object_store.objects import Objects
from understudy.object_store.shared_files import SharedFiles

CONTENT = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_files, "PART_BYTES", 4096)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(CONTENT)
    (folder / "empty").write_bytes(b"")
    return folder


def _accept(_: Manifest) -> bool:
    return True


def _list_parts(tmp_path: Path) -> list[Path]:
    return [each for each in (tmp_path / "store" / "parts").rglob("*") if each.is_file()]


def test_a_file_comes_back_as_it_was(files: SharedFiles, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    files.publish("sources/a", tmp_path / "model.onnx", _accept)
    assert files.has("sources/a")
    assert files.fetch("sources/a", tmp_path / "fetched" / "a")
    assert (tmp_path / "fetched" / "a").read_bytes() == CONTENT
    assert list((tmp_path / "partial").glob("[!.]*/")) == []


def test_a_folder_comes_back_as_it_was(files: SharedFiles, tmp_path: Path, folder: Path) -> None:
    files.publish("sources/b", folder, _accept)
    assert files.fetch("sources/b", tmp_path / "fetched")
    found = {each.relative_to(tmp_path / "fetched").as_posix(): each.read_bytes() for each in
             (tmp_path / "fetched").rglob("*") if each.is_file()}  # fmt: skip
    assert found == {"saved_model.pb": b"graph", "variables/data": CONTENT, "empty": b""}


def test_a_file_is_fetched_to_another_disk(files: SharedFiles, tmp_path: Path, folder: Path) -> None:
    """A volume may be mounted at `models/` alone, and files are never renamed from one disk to another."""
    memory = Path("/dev/shm")  # noqa: S108  # a folder of its own is made below it
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk")
    files.publish("backbones/b", folder, _accept)
    with TemporaryDirectory(dir=memory) as elsewhere:
        assert files.fetch("backbones/b", Path(elsewhere) / "b")
        assert (Path(elsewhere) / "b" / "variables" / "data").read_bytes() == CONTENT
        assert [path.name for path in Path(elsewhere).iterdir()] == ["b"]


def test_what_is_not_right_gives_way_and_what_is_right_stays(files: SharedFiles, tmp_path: Path, folder: Path) -> None:
    files.publish("backbones/b", folder, _accept)
    target = tmp_path / "fetched"
    target.mkdir()
    (target / "empty").write_bytes(b"changed")
    assert files.fetch("backbones/b", target, lambda path: (path / "empty").read_bytes() == b"changed")
    assert [path.name for path in target.iterdir()] == ["empty"]
    assert files.fetch("backbones/b", target, lambda path: (path / "empty").read_bytes() == b"")
    assert (target / "variables" / "data").read_bytes() == CONTENT
    assert not list(tmp_path.glob(".new-*"))


def test_equal_parts_are_stored_once(files: SharedFiles, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(bytes(4096 * 5) + name.encode())
        files.publish(name, tmp_path / name, _accept)
    assert len(_list_parts(tmp_path)) == 3


def test_what_the_store_lacks_is_not_fetched(files: SharedFiles, tmp_path: Path) -> None:
    assert not files.has("sources/none")
    assert not files.fetch("sources/none", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_nothing_is_stored_under_the_name_of_a_file_that_changed(files: SharedFiles, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    files.publish("sources/a", tmp_path / "model.onnx", lambda manifest: manifest.files[0].digest == "0" * 64)
    assert not files.has("sources/a")


def test_a_download_that_was_cut_goes_on_with_what_is_missing(
    files: SharedFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    files.publish("sources/a", tmp_path / "model.onnx", _accept)
    read, asked = Objects.read, list[str]()

    def count(self: Objects, key: str) -> bytes | None:
        asked.append(key)
        if len(asked) == 3:
            raise ConnectionError("cut")
        return read(self, key)

    monkeypatch.setattr(Objects, "read", count)
    with pytest.raises(ConnectionError):
        files.fetch("sources/a", tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert files.fetch("sources/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    manifests = [key for key in asked if key == "sources/a.json"]
    assert (len(manifests), len(asked)) == (2, 2 + 3 + 1)  # three parts, one of them asked for twice


def test_a_damaged_part_is_named_and_nothing_appears(files: SharedFiles, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    files.publish("sources/a", tmp_path / "model.onnx", _accept)
    _list_parts(tmp_path)[0].write_bytes(b"other bytes")
    with pytest.raises(StoredFileDamaged, match=r"sources/a .* a part of model\.onnx is not what its manifest says"):
        files.fetch("sources/a", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_missing_part_is_named(files: SharedFiles, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    files.publish("sources/a", tmp_path / "model.onnx", _accept)
    _list_parts(tmp_path)[0].unlink()
    with pytest.raises(StoredFileDamaged, match="is missing"):
        files.fetch("sources/a", tmp_path / "a")


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside", "a\\b", "C:outside", "", "a\0b"])
def test_a_manifest_cannot_name_a_path_outside_its_folder(files: SharedFiles, tmp_path: Path, path: str) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    files.publish("sources/a", tmp_path / "model.onnx", _accept)
    manifest = tmp_path / "store" / "sources" / "a.json"
    document = json.loads(manifest.read_text())
    document["files"][0]["path"] = path
    document["folder"] = True
    manifest.write_text(json.dumps(document))
    with pytest.raises(StoredFileDamaged, match="its manifest has"):
        files.fetch("sources/a", tmp_path / "a")
    assert not list(tmp_path.rglob("outside"))


def test_a_store_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Misconfigured, match="UNDERSTUDY_STORE"):
            Objects(f"file://{place}")


def test_a_store_is_known_by_its_address_and_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    here = Objects("s3://models/team").digest
    assert Objects("s3://models/team/").digest == here
    assert Objects("s3://models/other").digest != here
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9001")
    assert Objects("s3://models/team").digest != here


@pytest.mark.parametrize("address", ["models", "ftp://models/team", "s3:/models", "file://team", "s3://", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="UNDERSTUDY_STORE"):
        Objects(address)
