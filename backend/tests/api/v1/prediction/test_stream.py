"""The microphone's stream: the same scores as the file, and no gap at a swap."""

import asyncio
import io
import json
import shutil
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
import soundfile
from asgi_lifespan import LifespanManager
from onnx import TensorProto, helper, numpy_helper
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from tests.api.asgi_exchange import AsgiExchange
from tests.serve_process import run_uvicorn
from tests.types import ModelFactory
from understudy.main import create_app
from understudy.schemas.inference.stream import StreamMessage
from understudy.serving.prediction.streaming import LiveStream, Streaming
from understudy.settings import Settings

RATE = 44_100


@pytest.fixture(scope="module")
def streaming_home(tmp_path_factory: pytest.TempPathFactory, migrated_home: Path, make_model: ModelFactory) -> Path:
    """Two models with different answers, `first` and `second`."""
    home = tmp_path_factory.mktemp("streaming")
    shutil.copytree(migrated_home / "var", home / "var")
    (home / "models").mkdir()
    for index, name in enumerate(("first", "second")):
        make_model(home / "models" / f"{name}.onnx", winner=index, sensitive=True)
    return home


@pytest.fixture(scope="module")
def streaming_server(streaming_home: Path) -> Iterator[str]:
    """Host and port of a server on which both models are registered."""
    with run_uvicorn(streaming_home) as address:
        for name in ("first", "second"):
            body = {"model_name": name, "file_path": f"models/{name}.onnx"}
            httpx.post(f"http://{address}/api/v1/models", json=body).raise_for_status()
        yield address


@pytest.fixture
def models(streaming_server: str) -> list[int]:
    """The ids of the two models; the first is live."""
    httpx.post(f"http://{streaming_server}/api/v1/models/1/activate", timeout=60).raise_for_status()
    return [1, 2]


def recording(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """A sweep, so that every window differs."""
    time_axis = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(8000 * np.sin(2 * np.pi * (200 + 400 * time_axis) * time_axis), np.int16)


def receive_messages(connection: ClientConnection, until: str | None = None) -> list[dict[str, Any]]:
    """Messages up to the first of type `until`, or to the end."""
    messages = []
    with suppress(ConnectionClosedError):
        for message in connection:
            StreamMessage.model_validate_json(message)
            messages.append(json.loads(message))
            if messages[-1]["type"] == until:
                break
    return messages


def test_the_same_audio_gives_the_same_scores_as_the_file(streaming_server: str, models: list[int]) -> None:
    samples = recording(3.3)
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    answer = httpx.post(
        f"http://{streaming_server}/api/v1/predict", files={"audio_file": ("x", file.getvalue())}
    ).json()
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        connection.send(json.dumps({"sample_rate": RATE, "encoding": "pcm16", "channels": 1}))
        for start in range(0, len(samples), 4096):
            connection.send(samples[start : start + 4096].tobytes())
        connection.send('{"type": "end"}')
        ready, *windows = receive_messages(connection)
    assert ready["model"]["model_id"] == models[0]
    assert [window["start"] for window in windows] == pytest.approx([w["start"] for w in answer["windows"]])
    assert [window["end"] for window in windows] == pytest.approx([w["end"] for w in answer["windows"]])
    for window, expected in zip(windows, answer["windows"], strict=True):
        assert window["scores"] == pytest.approx(expected["scores"], abs=1e-6)
        assert window["model"] == answer["model"]


def test_a_swap_shows_on_the_stream_and_no_window_is_missing(streaming_server: str, models: list[int]) -> None:
    samples = recording(8).astype(np.float32) / 32768
    half = len(samples) // 2
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        connection.send(json.dumps({"sample_rate": RATE, "encoding": "float32"}))
        for start in range(0, half, 4410):
            connection.send(samples[start : min(half, start + 4410)].tobytes())
        before = receive_messages(connection, until="window")
        httpx.post(f"http://{streaming_server}/api/v1/models/{models[1]}/activate", timeout=60).raise_for_status()
        for start in range(half, len(samples), 4410):
            connection.send(samples[start : start + 4410].tobytes())
        connection.send('{"type": "end"}')
        messages = [*before, *receive_messages(connection)]
    [swap] = [message for message in messages if message["type"] == "swap"]
    windows = [message for message in messages if message["type"] == "window"]
    starts = [window["start"] for window in windows]
    assert starts == pytest.approx([0.48 * index for index in range(len(starts))], abs=0.01)
    assert windows[-1]["end"] == pytest.approx(8.0, abs=0.02)
    assert {window["model"]["model_id"] for window in windows if window["start"] < swap["at"] - 0.01} == {models[0]}
    assert {window["model"]["model_id"] for window in windows if window["start"] > swap["at"] - 0.01} == {models[1]}


def test_heartbeats_come_where_they_are_asked_for_while_no_sound_arrives(
    streaming_server: str, models: list[int]
) -> None:
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        connection.send(json.dumps({"sample_rate": RATE, "encoding": "pcm16", "heartbeat_seconds": 0.5}))
        assert receive_messages(connection, until="heartbeat")[-1] == {"type": "heartbeat", "received": 0.0}
        connection.send(recording(0.1).tobytes())
        assert receive_messages(connection, until="heartbeat")[-1]["received"] == pytest.approx(0.1)


@pytest.mark.anyio
async def test_a_socket_without_a_first_message_is_closed(settings: Settings) -> None:
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "root_path": "",
        "path": "/api/v1/stream",
        "raw_path": b"/api/v1/stream",
        "query_string": b"",
        "subprotocols": [],
        "headers": [(b"host", b"localhost")],
    }
    sent: list[MutableMapping[str, Any]] = []
    messages: list[dict[str, Any]] = [{"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    app = create_app(settings.model_copy(update={"head_seconds": 0.05}))
    async with LifespanManager(app, startup_timeout=60) as manager, asyncio.timeout(30):
        await manager.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    problem = json.loads(sent[1]["text"])["problem"]
    assert (problem["code"], problem["status"], sent[2]["code"]) == ("request_timeout", 408, 1008)
    assert "first message" in problem["detail"]


@pytest.mark.anyio
async def test_an_error_that_nobody_foresaw_is_said_before_the_socket_is_closed(
    settings: Settings, migrated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> LiveStream:
        raise ZeroDivisionError

    monkeypatch.setattr(Streaming, "open", fail)
    start = {"type": "websocket.receive", "text": '{"sample_rate": 16000, "encoding": "pcm16"}'}
    async with (
        LifespanManager(create_app(settings), startup_timeout=60) as manager,
        AsgiExchange(manager.app, "/api/v1/stream", websocket=True) as socket,
    ):
        assert await socket.read_status() == 101
        socket.received.put_nowait(start)
        message, close = await socket.read_to_end()
    assert json.loads(message["text"])["problem"]["code"] == "internal_error"
    assert (close["type"], close["code"]) == ("websocket.close", 1011)


def write_waveform_model(path: Path) -> None:
    """Write a model of 16,000 samples that does not state their rate."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Softmax", ["z"], ["y"], axis=-1)],
        "waveform",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16_000])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(np.full((16_000, 3), 1e-5, np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"labels": json.dumps(["a", "b", "c"])})
    onnx.save(model, path)


def test_the_first_message_says_what_was_assumed_about_the_model(
    streaming_server: str, streaming_home: Path, models: list[int]
) -> None:
    write_waveform_model(streaming_home / "models" / "assumed.onnx")
    body = {"model_name": "assumed", "file_path": "models/assumed.onnx"}
    model = httpx.post(f"http://{streaming_server}/api/v1/models", json=body, timeout=60).raise_for_status().json()
    found = []
    for query in ("", f"?model_id={model['model_id']}"):
        with connect(f"ws://{streaming_server}/api/v1/stream{query}") as connection:
            connection.send(json.dumps({"sample_rate": RATE, "encoding": "pcm16"}))
            connection.send('{"type": "end"}')
            found.append(receive_messages(connection)[0]["findings"])
    assert found[0] == []
    assert [finding["code"] for finding in found[1]] == ["sample_rate_assumed"]
    assert "16000 Hz is assumed" in found[1][0]["detail"]


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ("{}", None, "request_invalid"),
        ('{"sample_rate": 1, "encoding": "pcm16"}', None, "request_invalid"),
        ('{"sample_rate": 16000, "encoding": "pcm16", "heartbeat_seconds": 0}', None, "request_invalid"),
        ('{"sample_rate": 16000, "encoding": "float32"}', np.full(160_000, np.nan, "<f4").tobytes(), "audio_unusable"),
        ('{"sample_rate": 16000, "encoding": "pcm16"}', "hello", "request_invalid"),
        ('{"sample_rate": 16000, "encoding": "pcm16"}', "[" * 100_000, "request_invalid"),
    ],
)
def test_an_invalid_stream_ends_with_a_problem(
    streaming_server: str, models: list[int], first: str, then: str | bytes | None, code: str
) -> None:
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        connection.send(first)
        if then is not None:
            connection.send(then)
        messages = receive_messages(connection)
    assert messages[-1]["type"] == "error"
    assert messages[-1]["problem"]["code"] == code
    assert messages[-1]["problem"]["remedy"]


def test_messages_may_split_a_frame_and_bytes_that_complete_none_are_named(
    streaming_server: str, models: list[int]
) -> None:
    samples = np.repeat(recording(1.5), 2).tobytes()
    found: list[list[dict[str, Any]]] = []
    for step, more in ((4410 * 4, b""), (4410 * 4 - 1, b"\x7f" * 3)):
        with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
            connection.send(json.dumps({"sample_rate": RATE, "encoding": "pcm16", "channels": 2}))
            body = samples + more
            for start in range(0, len(body), step):
                connection.send(body[start : start + step])
            connection.send('{"type": "end"}')
            found.append(receive_messages(connection)[1:])
    assert [window["scores"] for window in found[0]] == [window["scores"] for window in found[1]]
    [named] = found[1][-1].pop("findings")
    assert (named["code"], named["bytes"]) == ("trailing_data", 3)
    assert all(not window["findings"] for window in (*found[0], *found[1][:-1]))


@pytest.mark.parametrize("body", [b"", b"\0"])
def test_an_end_without_a_window_is_an_error_only_where_bytes_are_left(
    streaming_server: str, models: list[int], body: bytes
) -> None:
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        connection.send(json.dumps({"sample_rate": RATE, "encoding": "pcm16"}))
        connection.send(body)
        connection.send('{"type": "end"}')
        _, *rest = receive_messages(connection)
    assert [message["problem"]["code"] for message in rest] == (["audio_unusable"] if body else [])


LARGEST = 1 << 20


def test_the_largest_message_is_scored(streaming_server: str, models: list[int]) -> None:
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        connection.send('{"sample_rate": 16000, "encoding": "pcm16"}')
        connection.send(bytes(LARGEST))
        connection.send('{"type": "end"}')
        *_, last = receive_messages(connection)
    assert last["end"] == pytest.approx(LARGEST / 32_000)


@pytest.mark.parametrize(
    "messages",
    [
        ["x" * (LARGEST + 1)],
        ['{"sample_rate": 4000, "encoding": "pcm16"}', bytes(LARGEST + 2)],
        ['{"sample_rate": 4000, "encoding": "pcm16"}', "é" * (LARGEST // 2 + 1)],
    ],
    ids=["start", "samples", "text"],
)
def test_another_server_passes_on_a_message_that_is_too_large_and_the_application_refuses_it(
    streaming_server: str, models: list[int], messages: list[str | bytes]
) -> None:
    with connect(f"ws://{streaming_server}/api/v1/stream") as connection:
        for message in messages:
            connection.send(message)
        last = receive_messages(connection)[-1]
        assert connection.close_code == 1009
    assert (last["type"], last["problem"]["code"]) == ("error", "body_too_large")
    assert "UNDERSTUDY_MAX_STREAM_MESSAGE_BYTES" in last["problem"]["remedy"]


def test_without_a_live_model_the_stream_says_so(server: str) -> None:
    with connect(f"ws://{server}/api/v1/stream") as connection:
        connection.send('{"sample_rate": 16000, "encoding": "pcm16"}')
        [message] = receive_messages(connection)
    assert message["problem"]["code"] == "no_active_model"
