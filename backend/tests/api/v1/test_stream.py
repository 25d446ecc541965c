"""The microphone's stream: the same scores as the file, and no gap at a swap."""

import io
import json
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from tests.types import ModelFactory
from understudy.schemas.inference.stream import StreamMessage
from understudy.settings import Settings

RATE = 44_100


@pytest.fixture
def models(server: str, settings: Settings, make_model: ModelFactory) -> list[int]:
    """Two registered models with different answers; the first is live."""
    ids = []
    for index, name in enumerate(("first", "second")):
        make_model(settings.models_dir / f"{name}.onnx", winner=index, sensitive=True)
        body = {"model_name": name, "file_path": f"models/{name}.onnx"}
        ids.append(httpx.post(f"http://{server}/api/v1/models", json=body).json()["model_id"])
    httpx.post(f"http://{server}/api/v1/models/{ids[0]}/activate", timeout=60).raise_for_status()
    return ids


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


def test_the_same_audio_gives_the_same_scores_as_the_file(server: str, models: list[int]) -> None:
    samples = recording(3.3)
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    answer = httpx.post(f"http://{server}/api/v1/predict", files={"audio_file": ("x", file.getvalue())}).json()
    with connect(f"ws://{server}/api/v1/stream") as connection:
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


def test_a_swap_shows_on_the_stream_and_no_window_is_missing(server: str, models: list[int]) -> None:
    samples = recording(8).astype(np.float32) / 32768
    half = len(samples) // 2
    with connect(f"ws://{server}/api/v1/stream") as connection:
        connection.send(json.dumps({"sample_rate": RATE, "encoding": "float32"}))
        for start in range(0, half, 4410):
            connection.send(samples[start : min(half, start + 4410)].tobytes())
        before = receive_messages(connection, until="window")
        httpx.post(f"http://{server}/api/v1/models/{models[1]}/activate", timeout=60).raise_for_status()
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


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ("{}", None, "request_invalid"),
        ('{"sample_rate": 1, "encoding": "pcm16"}', None, "request_invalid"),
        ('{"sample_rate": 16000, "encoding": "pcm16"}', b"\x00\x00\x00", "audio_unusable"),
        ('{"sample_rate": 16000, "encoding": "float32"}', np.array([np.nan], "<f4").tobytes(), "audio_unusable"),
        ('{"sample_rate": 16000, "encoding": "pcm16"}', "hello", "request_invalid"),
        ('{"sample_rate": 16000, "encoding": "pcm16"}', "[" * 100_000, "request_invalid"),
    ],
)
def test_an_invalid_stream_ends_with_a_problem(
    server: str, models: list[int], first: str, then: str | bytes | None, code: str
) -> None:
    with connect(f"ws://{server}/api/v1/stream") as connection:
        connection.send(first)
        if then is not None:
            connection.send(then)
        messages = receive_messages(connection)
    assert messages[-1]["type"] == "error"
    assert messages[-1]["problem"]["code"] == code
    assert messages[-1]["problem"]["remedy"]


def test_without_a_live_model_the_stream_says_so(server: str) -> None:
    with connect(f"ws://{server}/api/v1/stream") as connection:
        connection.send('{"sample_rate": 16000, "encoding": "pcm16"}')
        [message] = receive_messages(connection)
    assert message["problem"]["code"] == "no_active_model"
