"""Uploads and the files that wait to be registered."""

import hashlib
import os
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.types import ModelFactory
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


async def upload(client: httpx.AsyncClient, name: str, content: bytes) -> httpx.Response:
    return await client.post("/api/v1/models/upload", params={"filename": name}, content=content)


async def test_an_upload_is_stored_hashed_and_offered_for_registration(
    client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory, tmp_path: Path
) -> None:
    content = make_model(tmp_path / "new.onnx").read_bytes()
    answer = await upload(client, "new.onnx", content)
    assert answer.status_code == 201
    assert answer.json() == {
        "file_path": "models/new.onnx",
        "bytes": len(content),
        "digest": hashlib.sha256(content).hexdigest(),
    }
    assert (settings.models_dir / "new.onnx").read_bytes() == content
    [offered] = (await client.get("/api/v1/models/files")).json()["files"]
    assert (offered["file_path"], offered["kind"], offered["bytes"]) == ("models/new.onnx", "onnx", len(content))
    body = {"model_name": "new", "file_path": "models/new.onnx"}
    assert (await client.post("/api/v1/models", json=body)).json()["digest"] == answer.json()["digest"]
    assert (await client.get("/api/v1/models/files")).json()["files"] == []


async def test_an_upload_never_overwrites(client: httpx.AsyncClient, settings: Settings) -> None:
    assert (await upload(client, "a.onnx", b"first")).status_code == 201
    answer = await upload(client, "a.onnx", b"second")
    assert (answer.status_code, answer.json()["code"]) == (409, "file_exists")
    assert (settings.models_dir / "a.onnx").read_bytes() == b"first"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../a.onnx", "path_refused"),
        ("sub/a.onnx", "path_refused"),
        ("..\\a.onnx", "path_refused"),
        (".hidden.onnx", "path_refused"),
        ("a.onnx\0", "path_refused"),
        ("a\n.onnx", "path_refused"),
        ("\N{CYRILLIC SMALL LETTER ZHE}" * 190 + ".onnx", "path_refused"),
        ("CON.onnx", "path_refused"),
        ("lpt1.tar.onnx", "path_refused"),
        ("aux .onnx", "path_refused"),
        ("x.onnx:y.onnx", "path_refused"),
        ("a?.onnx", "path_refused"),
        ("a.onnx.", "path_refused"),
        ("a.pkl", "format_unknown"),
        ("a.py", "format_unknown"),
    ],
)
async def test_a_name_that_is_no_model_file_in_models_is_refused(
    module_client: httpx.AsyncClient, module_settings: Settings, name: str, code: str
) -> None:
    answer = await upload(module_client, name, b"x")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert list(module_settings.models_dir.iterdir()) == []


async def test_the_longest_name_is_stored_and_its_model_registered(
    client: httpx.AsyncClient, make_model: ModelFactory, tmp_path: Path
) -> None:
    name = "\N{CYRILLIC SMALL LETTER ZHE}" * 97 + "a.onnx"
    assert len(name.encode()) == 200
    assert (await upload(client, name, make_model(tmp_path / "new.onnx").read_bytes())).status_code == 201
    body = {"model_name": "long", "file_path": f"models/{name}"}
    assert (await client.post("/api/v1/models", json=body)).status_code == 201


async def test_a_file_whose_name_no_request_can_carry_does_not_hide_the_others(
    client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory
) -> None:
    make_model(settings.models_dir / "good.onnx")
    try:
        make_model(settings.models_dir / "copy.onnx").rename(settings.models_dir / os.fsdecode(b"b\xff.onnx"))
    except OSError:
        pytest.skip("this file system refuses names that are not Unicode")
    answer = await client.get("/api/v1/models/files")
    assert [file["file_path"] for file in answer.json()["files"]] == ["models/b\ufffd.onnx", "models/good.onnx"]


async def test_an_upload_whose_temporary_file_cannot_be_removed_is_done_all_the_same(
    client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert (await upload(client, "a.onnx", b"x")).status_code == 201
    assert (settings.models_dir / "a.onnx").read_bytes() == b"x"


async def test_an_upload_that_the_disk_refuses_leaves_nothing_behind(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    resource = pytest.importorskip("resource", reason="limits of a process are POSIX")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, limits[1]))
    try:
        answer = await upload(client, "a.onnx", b"x" * (5 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert list(settings.models_dir.iterdir()) == []


class TestTooLarge:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"max_model_bytes": 1000})

    async def test_an_upload_past_the_limit_leaves_nothing_behind(
        self, client: httpx.AsyncClient, settings: Settings
    ) -> None:
        answer = await upload(client, "a.onnx", b"x" * 1001)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert list(settings.models_dir.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing_behind(server: str, settings: Settings) -> None:
    host, _, port = server.partition(":")
    with socket.create_connection((host, int(port))) as connection:
        head = "POST /api/v1/models/upload?filename=a.onnx HTTP/1.1\r\n"
        head += "Host: localhost\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 100_000)
        deadline = time.monotonic() + 30
        while not list(settings.models_dir.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [file.name.startswith(".upload-") for file in settings.models_dir.iterdir()] == [True]
    while list(settings.models_dir.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(settings.models_dir.iterdir()) == []
    errors = httpx.get(f"http://{server}/api/v1/metrics/summary").json()["errors_by_code"]
    assert errors == {}, "a client that goes away is no failure of the server"
