"""The child quantizes a graph to int8, except for the layers that would lose too much."""

import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from tests.convolutional import write_convolutional
from understudy.compiler.isolation.child_protocol import QuantizeRequest, QuantizeResult
from understudy.compiler.isolation.sandbox import Sandbox
from understudy.compiler.quantize.equalization import equalize
from understudy.errors import CompileFailed
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

Array = NDArray[np.float32]


@pytest.fixture
def patches() -> Array:
    return np.random.default_rng(1).uniform(-6, 3, (16, 96, 64)).astype(np.float32)


def run_graph(model: bytes, patches: Array) -> Array:
    return np.asarray(ort.InferenceSession(model).run(["scores"], {"patch": patches})[0], np.float32)


async def quantize_in_child(settings: Settings, model: Path, patches: Array) -> tuple[QuantizeResult, bytes, list[str]]:
    """Quantize the graph in a real child; return its result, the int8 graph and the steps that it reported."""
    sandbox, steps = Sandbox(settings), list[str]()
    with sandbox.open_scratch() as scratch:
        (scratch / "source.onnx").write_bytes(model.read_bytes())
        np.savez(scratch / "feeds.npz", allow_pickle=False, first=patches)
        request = QuantizeRequest(
            source=scratch / "source.onnx",
            feeds=scratch / "feeds.npz",
            output="scores",
            out=scratch / "out",
            limits=sandbox.build_limits(scratch),
            parent=os.getpid(),
        )
        outcome = QuantizeResult.model_validate_json(await sandbox.run(request, steps.append))
        assert (request.out / "probes.npz").is_file()
        return outcome, (request.out / "model.onnx").read_bytes(), steps


async def test_a_child_quantizes_all_layers_but_the_first_and_the_last(
    settings: Settings, home: Path, patches: Array
) -> None:
    model = write_convolutional(home / "models" / "net.onnx")
    outcome, int8_graph, _ = await quantize_in_child(settings, model, patches)
    assert {layer.name: layer.reason for layer in outcome.kept} == {"conv0": "first", "dense": "last"}
    assert outcome.layers == 5
    assert "network" in outcome.isolation
    constants = onnx.load_from_string(int8_graph).graph.initializer
    int8 = [tensor for tensor in constants if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4]
    assert len(int8) == 3
    before, after = run_graph(model.read_bytes(), patches), run_graph(int8_graph, patches)
    assert 0 < float(np.abs(before - after).max()) < 0.1


async def test_equalized_channels_compute_the_same_and_lose_less(
    settings: Settings, home: Path, patches: Array
) -> None:
    even = write_convolutional(home / "models" / "even.onnx")
    uneven = write_convolutional(home / "models" / "uneven.onnx", spread=1e4)
    model = onnx.load(uneven)
    assert equalize(model, [{"patch": patches}]) == 3
    np.testing.assert_allclose(
        run_graph(model.SerializeToString(), patches), run_graph(even.read_bytes(), patches), atol=1e-4
    )
    outcome, _, _ = await quantize_in_child(settings, uneven, patches)
    assert outcome.equalized_pairs == 3
    assert outcome.noise < 0.125


async def test_a_graph_with_too_few_layers_is_refused(settings: Settings, home: Path, patches: Array) -> None:
    model = write_convolutional(home / "models" / "tiny.onnx", layers=1)
    with pytest.raises(CompileFailed, match="2 convolutions and matrix products"):
        await quantize_in_child(settings, model, patches)
