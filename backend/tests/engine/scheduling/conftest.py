"""A pipeline whose scores tell which windows it was given."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from understudy.container import Services
from understudy.engine.local_model import LocalModel
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.schemas.compiler.spec import InputKind, OutputActivation, PartialSpec
from understudy.schemas.registry.model import ModelCreate

RATE = 1_600


def loudness() -> bytes:
    """Scores [n, 2] of windows [n, RATE]: the mean square, and one."""
    nodes = [
        helper.make_node("Mul", ["x", "x"], ["square"]),
        helper.make_node("ReduceMean", ["square", "axes"], ["loud"], keepdims=1),
        helper.make_node("Pow", ["loud", "powers"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "loudness",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", RATE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [
            numpy_helper.from_array(np.array([1]), "axes"),
            numpy_helper.from_array(np.array([[1, 0]], np.float32), "powers"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


@pytest.fixture
async def pipeline(services: Services) -> Pipeline:
    (services.settings.models_dir / "loudness.onnx").write_bytes(loudness())
    spec = PartialSpec(
        input=InputKind.WAVEFORM,
        sample_rate=RATE,
        window_seconds=1.0,
        labels=("loud", "one"),
        activation=OutputActivation.NONE,
    )
    request = ModelCreate(model_name="loudness", file_path="models/loudness.onnx", spec=spec)
    model = await services.registry.register(request, "test")
    loaded = (await services.activation.activate(model.model_id, "test")).live.model.engine_model
    assert isinstance(loaded, LocalModel)
    return loaded.pipeline
