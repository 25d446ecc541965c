"""An 8-bit graph is made in the child, and only of what 8 bits can hold."""

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


def answer(model: bytes, patches: Array) -> Array:
    return np.asarray(ort.InferenceSession(model).run(["scores"], {"patch": patches})[0], np.float32)


async def quantised(settings: Settings, model: Path, patches: Array) -> tuple[QuantizeResult, bytes, list[str]]:
    """What a real child makes of the graph, and the steps that it told."""
    sandbox, steps = Sandbox(settings), list[str]()
    with sandbox.open_scratch() as scratch:
        (scratch / "source.onnx").write_bytes(model.read_bytes())
        np.savez(scratch / "feeds.npz", allow_pickle=False, first=patches)
        job = QuantizeRequest(
            source=scratch / "source.onnx",
            feeds=scratch / "feeds.npz",
            output="scores",
            out=scratch / "out",
            limits=sandbox.build_limits(scratch),
            parent=os.getpid(),
        )
        outcome = QuantizeResult.model_validate_json(await sandbox.run(job, steps.append))
        assert (job.out / "probes.npz").is_file()
        return outcome, (job.out / "model.onnx").read_bytes(), steps


async def test_a_child_quantises_all_layers_but_the_first_and_the_last(
    settings: Settings, home: Path, patches: Array
) -> None:
    model = write_convolutional(home / "models" / "net.onnx")
    outcome, made, _ = await quantised(settings, model, patches)
    assert {layer.name: layer.reason for layer in outcome.kept} == {"conv0": "first", "dense": "last"}
    assert outcome.layers == 5
    assert "network" in outcome.isolation
    constants = onnx.load_from_string(made).graph.initializer
    int8 = [tensor for tensor in constants if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4]
    assert len(int8) == 3
    before, after = answer(model.read_bytes(), patches), answer(made, patches)
    assert 0 < float(np.abs(before - after).max()) < 0.1


async def test_levelled_channels_compute_the_same_and_lose_less(settings: Settings, home: Path, patches: Array) -> None:
    even = write_convolutional(home / "models" / "even.onnx")
    uneven = write_convolutional(home / "models" / "uneven.onnx", spread=1e4)
    model = onnx.load(uneven)
    assert equalize(model, [{"patch": patches}]) == 3
    np.testing.assert_allclose(
        answer(model.SerializeToString(), patches), answer(even.read_bytes(), patches), atol=1e-4
    )
    outcome, _, _ = await quantised(settings, uneven, patches)
    assert outcome.equalized_pairs == 3
    assert outcome.noise < 0.125


async def test_nothing_to_quantise_is_said(settings: Settings, home: Path, patches: Array) -> None:
    model = write_convolutional(home / "models" / "tiny.onnx", layers=1)
    with pytest.raises(CompileFailed, match="2 convolutions and matrix products"):
        await quantised(settings, model, patches)
