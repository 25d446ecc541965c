"""A head runs on the backbone that was installed when it was loaded; other models never load one."""

import io
from pathlib import Path

import onnx
import onnx.parser
import pytest

from tests.serving.conftest import Register
from understudy.container import Services
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

BACKBONE = """
<ir_version: 10, opset_import: ["" : 18]>
backbone (float[n, 96, 64] patches) => (float[n, 1024] embeddings, float[n, 521] scores)
<int64[2] axes = {1, 2}, int64[1] last = {1}, int64[2] wide = {1, 1024}, int64[2] few = {1, 521},
 float[1] value = {VALUE}>
{
  mean = ReduceMean <keepdims = 0> (patches, axes)
  nothing = Sub (mean, mean)
  column = Unsqueeze (nothing, last)
  filled = Add (column, value)
  embeddings = Expand (filled, wide)
  scores = Expand (filled, few)
}
"""
HEAD = """
<ir_version: 10, opset_import: ["" : 18]>
head (float[n, 1024] x) => (float[n, 2] y)
<int64[1] axes = {1}, float[1, 2] weights = {-5, 5}>
{
  mean = ReduceMean (x, axes)
  logits = Mul (mean, weights)
  y = Softmax <axis = -1> (logits)
}
"""


def save(path: Path, text: str) -> None:
    """As an installation does: the new file takes the old one's name."""
    made = path.with_suffix(".new")
    onnx.save(onnx.parser.parse_model(text), made, format="protobuf")
    made.replace(path)


async def label(services: Services, wav: bytes) -> str:
    return (await services.predictor.predict(io.BytesIO(wav))).label


async def test_the_next_activation_loads_the_new_backbone_and_the_live_model_keeps_the_old(
    services: Services, database_settings: Settings, wav: bytes
) -> None:
    save(database_settings.backbone_path, BACKBONE.replace("VALUE", "-1"))
    save(database_settings.models_dir / "head.onnx", HEAD)
    spec = PartialSpec(labels=("negative", "positive"))
    request = ModelCreate(model_name="head", file_path="models/head.onnx", spec=spec)
    model_id = (await services.registry.register(request, "test")).model_id
    await services.activation.activate(model_id, "test")
    before = (await services.status_reporter.status()).backbone.digest
    save(database_settings.backbone_path, BACKBONE.replace("VALUE", "1"))
    assert await label(services, wav) == "negative"
    await services.activation.activate(model_id, "test")
    assert await label(services, wav) == "positive"
    assert (await services.status_reporter.status()).backbone.digest != before
    database_settings.backbone_path.unlink()
    await services.activation.activate(model_id, "test")
    assert await label(services, wav) == "positive"


async def test_a_model_without_a_backbone_does_not_load_it(
    services: Services, database_settings: Settings, register: Register
) -> None:
    database_settings.backbone_path.write_bytes(b"no graph")
    await services.activation.activate(await register("model"), "test")
    assert (await services.status_reporter.status()).backbone.digest is None
