"""An int8 variant goes live only where it reached its gate, in every process, and its answers name it."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.convolutional import write_convolutional
from tests.serving.conftest import Opener, build_quantizer
from understudy.container import Services
from understudy.errors import NotForAudio, ParityFailed, ReportNotFound, TrainingDataInvalid
from understudy.schemas.compiler.quantization import Gate, Precision
from understudy.schemas.compiler.spec import InputKind, PartialSpec
from understudy.schemas.registry.model import ModelCreate
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

LOOSE = Gate(min_agreement=0.5, min_label_agreement=0.0)
IMPOSSIBLE = Gate(max_change=1e-9)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Twelve seconds of noise and tones, in two folders."""
    generator = np.random.default_rng(3)
    for index in range(12):
        folder = tmp_path / "clips" / "ab"[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        times = np.arange(16_000) / 16_000
        sound = 0.4 * np.sin(2 * np.pi * 150 * (index + 1) * times) + 0.02 * index * generator.standard_normal(16_000)
        soundfile.write(folder / f"{index:02}.wav", np.clip(sound, -1, 1), 16_000)
    return tmp_path / "clips"


@pytest.fixture
async def model_id(services: Services, database_settings: Settings) -> int:
    write_convolutional(database_settings.models_dir / "net.onnx")
    request = ModelCreate(model_name="Net", file_path="models/net.onnx")
    return (await services.registry.register(request, "test")).model_id


async def quantize(services: Services, model_id: int, clips: Path, gate: Gate = LOOSE) -> list[str]:
    steps: list[str] = []
    await build_quantizer(services).quantize(model_id, clips, gate, "test", steps.append)
    return steps


async def predict_precision(services: Services, wav: bytes) -> Precision:
    return (await services.predictor.predict(io.BytesIO(wav))).model.precision


async def test_a_variant_that_passed_serves_in_every_process_and_rolls_back(
    services: Services, open_process: Opener, model_id: int, clips: Path, wav: bytes
) -> None:
    other = await open_process()
    await services.activation.activate(model_id, "test")
    assert await predict_precision(services, wav) is Precision.FLOAT32
    await quantize(services, model_id, clips)
    await services.operations.activate(model_id, "test", wait=True, precision=Precision.INT8)
    await services.reconciler.poll_once()
    await other.reconciler.poll_once()
    for process in (services, other):
        assert await predict_precision(process, wav) is Precision.INT8
        process.status_reporter.require_ready()
    status = await other.status_reporter.status()
    assert status.desired is not None
    assert status.desired.precision is Precision.INT8
    await other.operations.roll_back("test", wait=True)
    await services.reconciler.poll_once()
    for process in (services, other):
        assert await predict_precision(process, wav) is Precision.FLOAT32
    await services.operations.roll_back("test", wait=True)
    assert await predict_precision(services, wav) is Precision.INT8
    restarted = await open_process()
    await restarted.reconciler.poll_once()
    assert await predict_precision(restarted, wav) is Precision.INT8


async def test_the_report_says_what_was_measured_on_what(services: Services, model_id: int, clips: Path) -> None:
    await quantize(services, model_id, clips)
    found = (await services.compilation.report(model_id)).quantization
    assert found is not None
    assert found.passed
    assert found.agreement.disjoint
    assert (found.calibration.clips, found.agreement.clips) == (4, 8)
    assert found.agreement.counted_on == "windows"
    assert sum(label.total for label in found.agreement.labels.values()) == found.agreement.windows
    assert found.agreement.accuracy is not None
    assert 0 < found.agreement.mean_change <= found.agreement.max_change
    assert Counter(layer.reason for layer in found.kept_in_float) >= Counter(["first", "last"])
    assert "measure" not in await quantize(services, model_id, clips)


async def test_int8_is_refused_where_no_variant_was_made(services: Services, model_id: int) -> None:
    with pytest.raises(ReportNotFound, match="no int8 variant") as refused:
        await services.operations.activate(model_id, "test", wait=True, precision=Precision.INT8)
    assert "--precision int8" in refused.value.remedy
    assert services.live.current is None


async def test_a_variant_that_did_not_pass_does_not_go_live_and_the_reason_is_kept(
    services: Services, model_id: int, clips: Path, wav: bytes
) -> None:
    await services.activation.activate(model_id, "test")
    with pytest.raises(ParityFailed, match="does not answer as float32 does"):
        await quantize(services, model_id, clips, IMPOSSIBLE)
    with pytest.raises(ParityFailed, match="does not answer as float32 does"):
        await services.operations.activate(model_id, "test", wait=True, precision=Precision.INT8)
    assert await predict_precision(services, wav) is Precision.FLOAT32
    report = (await services.compilation.report(model_id)).quantization
    assert report is not None
    assert not report.passed
    refusals = (await services.registry.list_history(model_id, event="refused")).entries
    assert {entry.code for entry in refusals} == {"parity_failed"}


async def test_a_tensor_model_and_a_folder_without_recordings_are_refused(
    services: Services, model_id: int, database_settings: Settings, clips: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingDataInvalid, match="holds no recordings"):
        await quantize(services, model_id, tmp_path / "empty")
    request = ModelCreate(model_name="Tensors", file_path="models/net.onnx", spec=PartialSpec(input=InputKind.TENSOR))
    tensors = (await services.registry.register(request, "test")).model_id
    with pytest.raises(NotForAudio, match="takes tensors"):
        await quantize(services, tensors, clips)
