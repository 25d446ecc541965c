"""Only regular files are opened: a pipe or a device in the home folder would hold up a thread for ever."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.faults import make_unusual
from tests.types import ModelFactory
from understudy.audio.features.scaler_file import read_scaler
from understudy.backbones.store import BackboneStore
from understudy.compiler.formats.detect_format import detect_format
from understudy.compiler.model_source import compute_digest, copy_source
from understudy.container import Services, open_services
from understudy.errors import FormatUnknown, PathRefused, SpecInvalid, UnderstudyError
from understudy.files.file_ownership import is_owned
from understudy.files.regular_file import NotRegularFile, open_regular, read_regular
from understudy.files.text_file import read_text_file
from understudy.registry.files.examples_csv import read_folder
from understudy.registry.files.folder_scan import scan_folder
from understudy.registry.files.uploads import PART_PREFIX
from understudy.schemas.registry.examples_folder import CSV_NAME, DIGEST_NAME
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

KINDS = ("fifo", "socket", "device")


@pytest.mark.parametrize(
    ("kind", "what"), [("fifo", "a named pipe"), ("socket", "a socket"), ("device", "a device"), ("folder", "a folder")]
)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str, what: str) -> None:
    place = tmp_path / "odd"
    if kind == "folder":
        place.mkdir()
        with pytest.raises(NotRegularFile, match=what):
            open_regular(place)
        return
    with make_unusual(place, kind), pytest.raises(NotRegularFile, match=what):
        open_regular(place)


def test_a_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content"
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "absent")


def test_a_pipe_that_takes_the_place_of_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another may lie there between the look and the opening."""
    place = tmp_path / "swapped"
    place.write_bytes(b"content")
    found = place.stat()
    place.unlink()
    os.mkfifo(place)
    with monkeypatch.context() as race:
        race.setattr("understudy.files.regular_file.os.stat", lambda _: found)
        with pytest.raises(NotRegularFile, match="a named pipe"):
            open_regular(place)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("read", "error"),
    [
        (lambda place: read_text_file(place, "labels.txt"), SpecInvalid),
        (compute_digest, FormatUnknown),
        (lambda place: copy_source(place, place.with_name("copy"), 100), FormatUnknown),
        (detect_format, NotRegularFile),
        (lambda place: read_scaler(place, "scaler"), SpecInvalid),
        (lambda place: read_folder(place), UnderstudyError),
    ],
    ids=["text", "digest", "copy", "format", "scaler", "examples"],
)
def test_each_reader_refuses_it(
    tmp_path: Path, kind: str, read: Callable[[Path], object], error: type[Exception]
) -> None:
    with make_unusual(tmp_path / "odd.onnx", kind), pytest.raises(error):
        read(tmp_path / "odd.onnx")


@pytest.mark.parametrize("kind", KINDS)
def test_lists_leave_it_out(tmp_path: Path, kind: str) -> None:
    for folder in ("web", "saved", "heap"):
        (tmp_path / folder).mkdir()
    with (
        make_unusual(tmp_path / "odd.onnx", kind),
        make_unusual(tmp_path / "web" / "model.json", kind),
        make_unusual(tmp_path / "saved" / "saved_model.pb", kind),
        make_unusual(tmp_path / "heap" / "backbone.json", kind),
        make_unusual(tmp_path / f"{PART_PREFIX}1", kind),
    ):
        assert scan_folder(tmp_path) == []
        assert BackboneStore(tmp_path).list_all() == []
        with pytest.raises(OSError, match="not a file"):
            is_owned(tmp_path / f"{PART_PREFIX}1")


class TestRegistration:
    @pytest.fixture
    async def services(self, settings: Settings) -> AsyncIterator[Services]:
        async with open_services(settings) as services:
            yield services

    @pytest.fixture
    def register(
        self, services: Services, settings: Settings, make_model: ModelFactory
    ) -> Callable[[], Awaitable[object]]:
        make_model(settings.models_dir / "head.onnx")
        request = ModelCreate(model_name="head", file_path="models/head.onnx")
        return lambda: asyncio.wait_for(services.examples.register(request, "test"), 30)

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_model_or_sidecar_that_is_no_file_is_refused(
        self, settings: Settings, register: Callable[[], Awaitable[object]], kind: str
    ) -> None:
        outside = kind == "device"  # a link that leads out of the home folder
        with (
            make_unusual(settings.models_dir / "head.spec.json", kind),
            pytest.raises(PathRefused if outside else SpecInvalid),
        ):
            await register()
        (settings.models_dir / "head.onnx").unlink()
        with (
            make_unusual(settings.models_dir / "head.onnx", kind),
            pytest.raises(PathRefused if outside else FormatUnknown),
        ):
            await register()

    @pytest.mark.parametrize("kind", KINDS)
    async def test_labels_and_examples_that_are_no_files_are_left_out(
        self, settings: Settings, register: Callable[[], Awaitable[object]], services: Services, kind: str
    ) -> None:
        beside = settings.models_dir / "head.examples"
        beside.mkdir()
        with (
            make_unusual(settings.models_dir / "labels.txt", kind),
            make_unusual(beside / CSV_NAME, kind),
            make_unusual(beside / DIGEST_NAME, kind),
        ):
            await register()
            assert (await services.registry.get(1)).model_name == "head"

    async def test_examples_whose_digest_is_a_pipe_are_not_taken(
        self, settings: Settings, register: Callable[[], Awaitable[object]]
    ) -> None:
        beside = settings.models_dir / "head.examples"
        beside.mkdir()
        (beside / CSV_NAME).write_text("file,label\nclip.wav,a\n")
        with make_unusual(beside / DIGEST_NAME, "fifo"):
            await register()

    async def test_a_scaler_that_is_a_pipe_is_refused(
        self, settings: Settings, register: Callable[[], Awaitable[object]]
    ) -> None:
        standardize = {"kind": "per_feature", "file": "scaler.json"}
        (settings.models_dir / "head.spec.json").write_text(json.dumps({"arrangement": {"standardize": standardize}}))
        with make_unusual(settings.models_dir / "scaler.json", "fifo"), pytest.raises(SpecInvalid, match="scaler"):
            await register()
