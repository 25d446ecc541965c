"""A night's recording is measure_peak in the memory of a minute's."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from understudy.inference.pipeline.score_accumulator import TOP
from understudy.settings import Settings

RATE = 16_000
LABELS = 521


def write_model(path: Path) -> None:
    """As many labels as YAMNet has, and none of its cost."""
    weights = np.random.default_rng(0).normal(0, 0.1, (64, LABELS)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["patch", "axes"], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
        ],
        "wide",
        [helper.make_tensor_value_info("patch", TensorProto.FLOAT, ["n", 96, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", LABELS])],
        [numpy_helper.from_array(np.array([1], np.int64), "axes"), numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"labels": json.dumps([f"label {index}" for index in range(LABELS)])})
    onnx.save(model, path)


def wav(minutes: int) -> Iterator[bytes]:
    """16-bit mono that nobody ever holds in memory."""
    size = 2 * RATE * 60 * minutes
    fields = (b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", size)
    yield struct.pack("<4sI4s4sIHHIIHH4sI", *fields)
    second = np.random.default_rng(1).integers(-3000, 3000, RATE, dtype=np.int16).tobytes()
    for _ in range(60 * minutes):
        yield second


@pytest.fixture
def process(server_process: str, settings: Settings) -> psutil.Process:
    """The server's process, with the wide model live."""
    write_model(settings.models_dir / "wide.onnx")
    with httpx.Client(base_url=f"http://{server_process}/api/v1", timeout=60) as client:
        body = {"model_name": "wide", "file_path": "models/wide.onnx"}
        model_id = client.post("models", json=body).raise_for_status().json()["model_id"]
        client.post(f"models/{model_id}/activate").raise_for_status()
        replica: str = client.get("status").json()["replica"]
    return psutil.Process(int(replica.rpartition(":")[2]))


def test_memory_does_not_grow_with_the_recording(server_process: str, process: psutil.Process) -> None:
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, process.memory_info().rss)
            time.sleep(0.02)

    def measure_peak(minutes: int) -> int:
        nonlocal peak
        peak = 0
        headers = {"content-type": "audio/wav"}
        with httpx.stream(
            "POST", f"http://{server_process}/api/v1/predict", content=wav(minutes), headers=headers, timeout=300
        ) as answer:
            answer.read()
        body = answer.json()
        assert body["audio"]["duration_seconds"] == 60 * minutes
        assert len(body["windows"]) == 1 + -(-(60 * minutes * RATE - 15_600) // 7_680)
        assert {len(window["scores"]) for window in body["windows"]} == {TOP}
        assert all(
            one["start"] < other["start"] for one, other in zip(body["windows"], body["windows"][1:], strict=False)
        )
        assert len(body["scores"]) == LABELS
        return peak

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        measure_peak(10)
        short, long = measure_peak(10), measure_peak(60)
    finally:
        done.set()
        watcher.join()
    # All scores of the hour are 16 MB, its windows as objects 20 MB and its samples 230 MB.
    assert long - short < 12 << 20
