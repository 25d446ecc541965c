"""Tensor models over the v2 protocol, through the client that people use."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
import tritonclient.http as triton
from onnx import TensorProto, helper, numpy_helper

from tests.api.access.conftest import guarded, guarded_settings, page
from understudy.settings import Settings

__all__ = ["guarded", "guarded_settings", "page"]

Register = Callable[..., int]


def write_adder(path: Path, plus: float) -> None:
    """`y` = `x` + `plus` for float32 [n, 3], and its half-precision copy `z`."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "plus"], ["y"]), helper.make_node("Cast", ["y"], ["z"], to=TensorProto.FLOAT16)],
        "adder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("z", TensorProto.FLOAT16, ["n", 3]),
        ],
        [numpy_helper.from_array(np.array([plus], np.float32), "plus")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.fixture
def register(server: str, settings: Settings) -> Register:
    """Registers y = x + `plus` and returns its id; `live` puts it live."""

    def registered(name: str, *, plus: float, version: str | None = "v1", live: bool = False) -> int:
        file = f"adder_{plus:g}.onnx"
        write_adder(settings.models_dir / file, plus)
        body = {"model_name": name, "file_path": f"models/{file}", "version": version}
        answer = httpx.post(f"http://{server}/api/v1/models", json=body)
        assert answer.is_success, answer.text
        model_id: int = answer.json()["model_id"]
        if live:
            address = f"http://{server}/api/v1/models/{model_id}/activate?tensors_only=true"
            answer = httpx.post(address, timeout=60)
            assert answer.is_success, answer.text
        return model_id

    return registered


@pytest.fixture
def client(server: str) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server) as client:
        yield client
