"""The same files in a real S3 server, over a network that is cut, slow, or silent, and with wrong credentials."""

import threading
import time
from pathlib import Path

import pytest

from tests.object_store.conftest import SECRET, S3Server
from understudy.errors import StoreDenied, StoreUnavailable
from understudy.object_store import objects, shared_files
from understudy.object_store.objects import Objects
from understudy.object_store.shared_files import SharedFiles

CONTENT = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_files, "PART_BYTES", 64 << 10)


@pytest.fixture
def files(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedFiles:
    return SharedFiles(Objects(s3.set_environment(monkeypatch)), tmp_path / "partial")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    return tmp_path / "model.onnx"


def test_a_file_comes_back_as_it_was(files: SharedFiles, source: Path, tmp_path: Path) -> None:
    files.publish("sources/a", source, lambda _: True)
    assert files.fetch("sources/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_of_two_writers_at_once_one_writes_and_both_succeed(files: SharedFiles, source: Path, tmp_path: Path) -> None:
    writers = [threading.Thread(target=files.publish, args=("sources/b", source, lambda _: True)) for _ in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(30)
    assert files.fetch("sources/b", tmp_path / "b")


def test_connections_that_are_cut_are_made_again(
    files: SharedFiles, s3: S3Server, source: Path, tmp_path: Path
) -> None:
    s3.proxy.delay = 0.002
    stop = threading.Event()

    def cut() -> None:
        while not stop.wait(0.15):
            s3.proxy.cut()

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        files.publish("sources/c", source, lambda _: True)
        assert files.fetch("sources/c", tmp_path / "c")
    finally:
        stop.set()
        cutting.join()
    assert (tmp_path / "c").read_bytes() == CONTENT


def test_a_silent_store_is_given_up_in_time(
    s3: S3Server, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "REQUEST", objects.REQUEST / 60)
    monkeypatch.setattr(objects, "QUICK", objects.QUICK / 10)
    monkeypatch.setattr(objects, "RETRIES", {"max_retries": 1, "retry_timeout": objects.REQUEST})
    files = SharedFiles(Objects(s3.set_environment(monkeypatch)), tmp_path / "partial")
    s3.proxy.silence()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        files.has("sources/d", quick=True)
    assert time.monotonic() - began < objects.REQUEST.total_seconds()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        files.publish("sources/d", source, lambda _: True)
    assert time.monotonic() - began < 30
    s3.proxy.resume()
    assert not files.has("sources/d", quick=True)
    files.publish("sources/d", source, lambda _: True)


def test_wrong_credentials_are_named_without_being_shown(
    s3: S3Server, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = SharedFiles(Objects(s3.set_environment(monkeypatch, secret="wrong-" + SECRET)), tmp_path / "partial")
    with pytest.raises(StoreDenied, match="refuses") as refused:
        files.publish("sources/e", source, lambda _: True)
    assert SECRET not in str(refused.value.problem())


def test_the_same_refusal_has_the_same_words(s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The history has one entry for each reason, however many servers fail, and requests never take the same time."""
    files = SharedFiles(Objects(s3.set_environment(monkeypatch, secret="wrong-" + SECRET)), tmp_path / "partial")
    said = set()
    for _ in range(3):
        with pytest.raises(StoreDenied) as refused:
            files.fetch("sources/e", tmp_path / "e")
        said.add(refused.value.detail)
    assert len(said) == 1
