"""An int8 head runs on the int8 backbone that it was made with, and says when another backbone was installed since."""

import io
import shutil
from pathlib import Path

import pytest

from tests.serving.prediction.test_backbone_holder import BACKBONE, HEAD, save
from understudy.compiler.compiled_store import CompiledModel
from understudy.compiler.model_source import compute_digest
from understudy.container import Services
from understudy.errors import BackboneMissing
from understudy.schemas.compiler.quantization import (
    Calibration,
    Gate,
    Precision,
    PrecisionAgreement,
    Quantization,
)
from understudy.schemas.compiler.spec import PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio


def store_int8_head(services: Services, compiled: CompiledModel, backbone_digest: str, name: str, made: Path) -> str:
    """Store the head as an int8 variant that reached its gate on the int8 backbone `name`; return its key."""
    shutil.copytree(compiled.folder, made)
    quantization = Quantization(
        precision=Precision.INT8,
        of=compiled.key,
        passed=True,
        reason=None,
        gate=Gate(),
        calibration=Calibration(source="clips", clips=1, windows=1, seconds=1.0, digest="0" * 64),
        agreement=PrecisionAgreement(
            clips=1,
            windows=1,
            disjoint=True,
            clip_agreement=1.0,
            window_agreement=1.0,
            counted_on="windows",
            max_change=0.0,
            mean_change=0.0,
            max_window_change=0.0,
            labels={},
            accuracy=None,
            throughput_ratio=1.0,
        ),
        layers=1,
        equalised=0,
        kept_in_float=(),
        noise=0.0,
        backbone=name,
        backbone_digest=backbone_digest,
        float_bytes=1,
        int8_bytes=1,
        seconds=1.0,
    )
    key = f"int8-{compiled.key}"
    report = compiled.report.model_copy(update={"key": key, "quantization": quantization})
    return services.compilation._compiler.store.add(made, report).key


def save_int8_backbone(settings: Settings, value: int) -> Path:
    """Save a backbone under the name that its content gives it, and return its path."""
    settings.backbones_dir.mkdir(parents=True, exist_ok=True)
    made = settings.backbones_dir / "made.onnx"
    save(made, BACKBONE.replace("VALUE", str(value)))
    return made.rename(settings.quantized_backbone_path(f"int8-{compute_digest(made)}"))


async def register_head(services: Services) -> tuple[int, CompiledModel]:
    """Register a head on YAMNet that says whether the backbone's value is positive, and compile it."""
    settings = services.settings
    save(settings.backbone_path, BACKBONE.replace("VALUE", "-1"))
    save(settings.models_dir / "head.onnx", HEAD)
    spec = PartialSpec(labels=("negative", "positive"))
    request = ModelCreate(model_name="head", file_path="models/head.onnx", spec=spec)
    model_id = (await services.registry.register(request, "test")).model_id
    return model_id, await services.compilation.compile(await services.registry.ensure_file_record(model_id))


async def test_an_int8_head_runs_on_its_own_backbone_and_notes_that_another_one_was_installed(
    services: Services, database_settings: Settings, wav: bytes, tmp_path: Path
) -> None:
    int8_backbone = save_int8_backbone(database_settings, 1)
    model_id, compiled = await register_head(services)
    digest = compute_digest(database_settings.backbone_path)
    key = store_int8_head(services, compiled, digest, int8_backbone.stem, tmp_path / "made")

    async def activate(variant: str) -> tuple[str, Precision, str, tuple[str, ...]]:
        live = (await services.activation.activate(model_id, "test", variant=variant)).live.model
        answer = await services.predictor.predict(io.BytesIO(wav))
        return answer.label, answer.model.precision, live.variant, live.notes

    assert await activate("float32") == ("negative", Precision.FLOAT32, "float32", ())
    assert await activate(key) == ("positive", Precision.INT8, key, ())
    save(database_settings.backbone_path, BACKBONE.replace("VALUE", "-2"))
    note = "Its int8 variant was made from another YAMNet backbone than the one that is installed."
    assert await activate(key) == ("positive", Precision.INT8, key, (note,))
    assert await activate("float32") == ("negative", Precision.FLOAT32, "float32", ())
    database_settings.backbone_path.unlink()
    assert await activate(key) == ("positive", Precision.INT8, key, ())


async def test_an_int8_backbone_that_was_changed_is_refused_and_the_model_before_goes_on(
    services: Services, database_settings: Settings, wav: bytes, tmp_path: Path
) -> None:
    int8_backbone = save_int8_backbone(database_settings, 1)
    model_id, compiled = await register_head(services)
    digest = compute_digest(database_settings.backbone_path)
    key = store_int8_head(services, compiled, digest, int8_backbone.stem, tmp_path / "made")
    await services.activation.activate(model_id, "test")
    save(int8_backbone, BACKBONE.replace("VALUE", "2"))
    with pytest.raises(BackboneMissing, match="was changed since the variant was measured"):
        await services.activation.activate(model_id, "test", variant=key)
    answer = await services.predictor.predict(io.BytesIO(wav))
    assert (answer.label, answer.model.precision) == ("negative", Precision.FLOAT32)
