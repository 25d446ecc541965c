"""Many recordings in one request."""

import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.types import ModelFactory
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
async def live(client: httpx.AsyncClient, settings: Settings, make_model: ModelFactory) -> int:
    """A model that answers "b", live; its generation."""
    make_model(settings.models_dir / "live.onnx", winner=1)
    body = {"model_name": "live", "file_path": "models/live.onnx", "version": "v1"}
    model = (await client.post("/api/v1/models", json=body)).json()
    generation: int = (await client.post(f"/api/v1/models/{model['model_id']}/activate")).json()["generation"]
    return generation


def form(*clips: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("audio_file", clip) for clip in clips]


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"] == "application/x-ndjson"
    return sorted(map(json.loads, answer.text.splitlines()), key=lambda line: line["index"])


async def test_every_recording_has_its_line_and_a_bad_one_does_not_fail_the_others(
    client: httpx.AsyncClient, live: int, wav: bytes
) -> None:
    # More than the spool keeps in memory.
    clips = form(("a.wav", wav), ("böse.txt", b"no audio"), *((f"{number}.wav", wav) for number in range(20)))
    found = lines(await client.post("/api/v1/predict/batch", files=[("comment", (None, b"y")), *clips]))
    assert [line["file"] for line in found] == [name for _, (name, _) in clips]
    assert {line["generation"] for line in found} == {live}
    assert found[1]["problem"]["code"] == "not_audio"
    assert "prediction" not in found[1]
    one = (await client.post("/api/v1/predict", files={"audio_file": ("a.wav", wav)})).json()
    for line in (found[0], *found[2:]):
        assert "problem" not in line
        assert (line["prediction"]["scores"], line["prediction"]["windows"]) == (one["scores"], one["windows"])


@pytest.mark.parametrize(
    "sent",
    [
        {"files": {"audio": (None, b"RIFF")}},
        {"content": b"{}", "headers": {"content-type": "application/json"}},
        {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"nothing", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"content-type": f"multipart/form-data; boundary={'x' * 999}"}},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
    ],
    ids=["no file", "wrong type", "cut off", "no form", "long boundary", "no boundary"],
)
async def test_a_body_that_is_not_a_form_of_recordings_is_refused(
    client: httpx.AsyncClient, live: int, sent: dict[str, Any]
) -> None:
    answer = await client.post("/api/v1/predict/batch", **sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


async def test_a_refused_model_refuses_the_batch(client: httpx.AsyncClient, wav: bytes) -> None:
    answer = await client.post("/api/v1/predict/batch", files=form(("a", wav)))
    assert (answer.status_code, answer.json()["code"]) == (503, "no_active_model")


@pytest.fixture
def busy(server_process: str, settings: Settings, make_model: ModelFactory) -> str:
    """A server of its own process with a model live."""
    make_model(settings.models_dir / "live.onnx", winner=1)
    with httpx.Client(base_url=f"http://{server_process}", timeout=60) as client:
        body = {"model_name": "live", "file_path": "models/live.onnx"}
        model_id = client.post("/api/v1/models", json=body).raise_for_status().json()["model_id"]
        client.post(f"/api/v1/models/{model_id}/activate").raise_for_status()
    return server_process


def test_a_client_that_goes_away_stops_the_work(busy: str, wav: bytes) -> None:
    clips = 4000
    request = httpx.Request("POST", f"http://{busy}/api/v1/predict/batch", files=form(*[("a.wav", wav)] * clips))
    body = request.read()
    head = f"POST /api/v1/predict/batch HTTP/1.1\r\nHost: {busy}\r\n"
    head += f"Content-Type: {request.headers['content-type']}\r\nContent-Length: {len(body)}\r\n\r\n"
    host, port = busy.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + body)
        assert connection.recv(1)

    def answered() -> int:
        buckets = httpx.get(f"http://{busy}/api/v1/metrics/summary").json()["buckets"]
        return sum(bucket["requests"] for bucket in buckets)

    before, settled = -1, answered()
    while settled != before:
        time.sleep(0.3)
        before, settled = settled, answered()
    assert settled < clips
