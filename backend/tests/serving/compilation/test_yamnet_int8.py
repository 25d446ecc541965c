"""Google's network on real recordings: int8 keeps the labels. Skipped where the real data is absent."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.serving.conftest import build_quantizer
from understudy.audio.features.patches import PatchStream
from understudy.audio.opening import AudioLimits, open_clip
from understudy.container import open_services
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.int8 import calibration
from understudy.schemas.compiler.quantization import Gate
from understudy.schemas.compiler.spec import OutputActivation, PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings
from understudy.yamnet.constants import SAMPLE_RATE
from understudy.yamnet.install import install_backbone

pytestmark = pytest.mark.anyio

CLIPS_A_LABEL = 20
RIDGE = 10.0


@pytest.fixture
def clips(data_dir: Path, tmp_path: Path) -> Path:
    """Twenty clips of each ESC-10 label, four a fold: those which calibrate share no source with those measured."""
    for folder in sorted(path for path in (data_dir / "esc10").iterdir() if path.is_dir()):
        (tmp_path / "clips" / folder.name).mkdir(parents=True)
        for fold in "12345":
            for clip in sorted(folder.glob(f"{fold}-*"))[: CLIPS_A_LABEL // 5]:
                (tmp_path / "clips" / folder.name / clip.name).symlink_to(clip)
    return tmp_path / "clips"


def patches_of(path: Path) -> NDArray[np.float32]:
    stream = PatchStream()
    with path.open("rb") as file:
        blocks = open_clip(file, AudioLimits(max_seconds=60.0)).iter_blocks(SAMPLE_RATE)
        found = [pair for block in blocks for pair in stream.push(block)]
    return np.stack([patch for _, patch in [*found, *stream.finish()]])


def write_head(path: Path, embeddings: list[NDArray[np.float32]], labels: list[str]) -> None:
    """A linear head fitted by ridge regression of windows' embeddings [n, 1024] on their clips' labels."""
    names = sorted(set(labels))
    rows = np.concatenate(embeddings).astype(np.float64)
    spread = [label for label, each in zip(labels, embeddings, strict=True) for _ in each]
    middle = rows.mean(axis=0)
    wanted = np.array([[float(label == name) for name in names] for label in spread]) - 1 / len(names)
    gram = (rows - middle).T @ (rows - middle) + RIDGE * np.eye(rows.shape[1])
    weights = 8 * np.linalg.solve(gram, (rows - middle).T @ wanted)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["embedding", "weights", "bias"], ["logits"])],
        "head",
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", rows.shape[1]])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(names)])],
        [
            numpy_helper.from_array(weights.astype(np.float32), "weights"),
            numpy_helper.from_array((-middle @ weights).astype(np.float32), "bias"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.mark.long
async def test_a_head_on_the_int8_backbone_keeps_99_of_100_labels(
    data_dir: Path, clips: Path, settings: Settings
) -> None:
    install_backbone(settings, data_dir / "yamnet" / "yamnet.npz")
    backbone = YamnetBackbone.load(settings.backbone_path)
    found = calibration.find_clips(clips)
    labels = sorted({clip.label or "" for clip in found})
    async with open_services(settings) as services:
        embeddings = [backbone.embed(patches_of(clip.path)) for clip in found]
        write_head(settings.models_dir / "head.onnx", embeddings, [clip.label or "" for clip in found])
        spec = PartialSpec(labels=tuple(labels), activation=OutputActivation.SOFTMAX)
        request = ModelCreate(model_name="Head", file_path="models/head.onnx", spec=spec)
        model_id = (await services.registry.register(request, "test")).model_id
        variant = await build_quantizer(services).quantize(model_id, clips, Gate(), "test", lambda _: None)
    quantization = variant.report.quantization
    assert quantization is not None
    assert quantization.backbone_digest == backbone.digest
    assert quantization.agreement.counted_on == "clips"
    assert quantization.agreement.clip_agreement >= 0.99
    assert quantization.int8_bytes < 0.6 * quantization.float_bytes
    sensitive = {layer.name for layer in quantization.kept_in_float if layer.reason == "sensitive"}
    assert {"layer12/pointwise", "layer13/depthwise"} <= sensitive
