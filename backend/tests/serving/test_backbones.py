"""Models on embedding networks of the user's own, from the recording to the scores."""

import asyncio
import io
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import soundfile
from numpy.typing import NDArray

from tests.embedding_networks import (
    LOG_MEL_SPEC,
    RATE,
    SAMPLES_SPEC,
    WINDOW,
    save_head,
    save_log_mel_network,
    save_samples_network,
)
from tests.serving.conftest import build_quantizer
from understudy.audio.features.front_end import FrontEnd
from understudy.container import Services, open_services
from understudy.engine.local_model import LocalModel
from understudy.errors import (
    BackboneInUse,
    BackboneMissing,
    CompileFailed,
    Conflict,
    ModelUnsafe,
    NameRefused,
    NotForAudio,
    SpecInvalid,
)
from understudy.inference.clip_input.installed_backbone import InstalledBackbone
from understudy.schemas.compiler.backbone import BackboneSpec
from understudy.schemas.compiler.quantization import Gate
from understudy.schemas.compiler.spec import InputKind, PartialSpec
from understudy.schemas.inference.stream import StreamStart, StreamWindow
from understudy.schemas.registry.model import ModelCreate, ModelUpdate
from understudy.serving import backbone_installation
from understudy.settings import Settings

pytestmark = pytest.mark.anyio

Array = NDArray[np.float32]
LABELS = ("a", "b", "c")
Add = Callable[..., Awaitable[int]]


def install(home: Path, name: str, file: Path, spec: dict[str, Any]) -> backbone_installation.Installation:
    given = BackboneSpec.model_validate(spec)
    settings = Settings(home=home)
    return asyncio.run(backbone_installation.install(settings, name, file, given, lambda _: None))


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the backbones mel and samples, and the files of both beside it."""
    home = tmp_path_factory.mktemp("backbones")
    save_log_mel_network(home / "mel.onnx")
    save_samples_network(home / "samples.onnx")
    install(home, "mel", home / "mel.onnx", LOG_MEL_SPEC)
    install(home, "samples", home / "samples.onnx", SAMPLES_SPEC)
    return home


@pytest.fixture
def own(settings: Settings, migrated: None, shared_store: None, stocked: Path) -> Settings:
    """Settings of a home with both backbones."""
    shutil.copytree(stocked / "models" / "backbones", settings.named_backbones_dir)
    return settings


@pytest.fixture
async def services(own: Settings) -> Any:
    async with open_services(own) as opened:
        yield opened


@pytest.fixture
def add(services: Services, own: Settings) -> Add:
    """Writes a head, registers it with a spec and returns its id."""

    async def added(name: str, width: int, **spec: Any) -> int:
        save_head(own.models_dir / f"{name}.onnx", width)
        given = PartialSpec.model_validate({"labels": LABELS} | spec)
        request = ModelCreate(model_name=name, file_path=f"models/{name}.onnx", spec=given)
        return (await services.registry.register(request, "test")).model_id

    return added


@pytest.fixture(scope="module")
def sound() -> Array:
    """1.6 seconds of noise that becomes louder."""
    noise = np.random.default_rng(5).standard_normal(RATE * 8 // 5)
    return np.asarray(0.2 * noise * np.linspace(0.05, 1, len(noise)), np.float32)


def to_wav(samples: Array) -> bytes:
    body = io.BytesIO()
    soundfile.write(body, samples, RATE, format="WAV", subtype="FLOAT")
    return body.getvalue()


async def score(services: Services, model_id: int, samples: Array) -> dict[str, float]:
    return (await services.predictor.predict(io.BytesIO(to_wav(samples)), model_id)).scores


def run(file: Path, items: Array, output: str) -> Array:
    return np.asarray(ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run([output], {"x": items})[0])


def cut(samples: Array, size: int, hop: int) -> Array:
    """Windows, the last one filled up with zeros."""
    count = 1 + max(0, -(-(len(samples) - size) // hop))
    padded = np.pad(samples, (0, (count - 1) * hop + size - len(samples)))
    return np.stack([padded[at * hop : at * hop + size] for at in range(count)])


def embed_mel(file: Path, samples: Array) -> Array:
    parts = BackboneSpec.model_validate(LOG_MEL_SPEC).front_end or ()
    [frames] = FrontEnd(parts, RATE).compute(samples)
    return run(file, frames[None, None], "embedding")


async def test_pooled_embeddings_equal_the_way_by_hand(
    services: Services, add: Add, own: Settings, stocked: Path, sound: Array
) -> None:
    model_id = await add("pooled", 32, backbone="samples", pooling="mean+max")
    rows = run(stocked / "samples.onnx", cut(sound, WINDOW, 2_000), "embedding")
    pooled = np.concatenate([rows.mean(axis=0), rows.max(axis=0)])[None]
    [expected] = run(own.models_dir / "pooled.onnx", pooled, "y")
    found = await score(services, model_id, sound)
    np.testing.assert_allclose([found[label] for label in LABELS], expected, atol=1e-6)


async def test_every_embedding_is_scored_alone_where_nothing_is_pooled(
    services: Services, add: Add, own: Settings, stocked: Path, sound: Array
) -> None:
    model_id = await add("each", 16, backbone="samples", pooling="none")
    rows = run(stocked / "samples.onnx", cut(sound, WINDOW, 2_000), "embedding")
    expected = run(own.models_dir / "each.onnx", rows, "y")
    answer = await services.predictor.predict(io.BytesIO(to_wav(sound)), model_id)
    np.testing.assert_allclose([answer.scores[label] for label in LABELS], expected.mean(axis=0), atol=1e-6)
    assert [window.start for window in answer.windows or ()] == [0.25 * at for at in range(len(rows))]
    assert not [warning for warning in answer.warnings if "averaged" in warning]


@pytest.mark.parametrize("seconds", [None, 0.8])
async def test_a_backbone_of_any_length_takes_the_clip_or_the_models_windows(
    services: Services, add: Add, own: Settings, stocked: Path, sound: Array, seconds: float | None
) -> None:
    model_id = await add("whole", 32, backbone="mel", window_seconds=seconds)
    parts = [sound] if seconds is None else np.split(sound, 2)
    rows = np.concatenate([embed_mel(stocked / "mel.onnx", part) for part in parts])
    expected = run(own.models_dir / "whole.onnx", rows, "y").mean(axis=0)
    found = await score(services, model_id, sound)
    np.testing.assert_allclose([found[label] for label in LABELS], expected, atol=1e-6)


async def test_pooled_windows_of_the_model_hold_windows_of_the_backbone(
    services: Services, add: Add, own: Settings, stocked: Path, sound: Array
) -> None:
    model_id = await add("blocks", 16, backbone="samples", pooling="mean", window_seconds=0.8)
    rows = [run(stocked / "samples.onnx", cut(part, WINDOW, 2_000), "embedding") for part in np.split(sound, 2)]
    expected = run(own.models_dir / "blocks.onnx", np.stack([each.mean(axis=0) for each in rows]), "y").mean(axis=0)
    found = await score(services, model_id, sound)
    np.testing.assert_allclose([found[label] for label in LABELS], expected, atol=1e-6)


async def test_a_stream_equals_the_file_where_the_model_has_windows(services: Services, add: Add, sound: Array) -> None:
    model_id = await add("each", 16, backbone="samples", pooling="none")
    answer = await services.predictor.predict(io.BytesIO(to_wav(sound)), model_id)
    start = StreamStart.model_validate({"sample_rate": RATE, "encoding": "float32"})
    stream = await services.streaming.open(start, model_id)
    messages = [m for at in range(0, len(sound), 1_500) for m in await stream.push(sound[at : at + 1_500].tobytes())]
    messages += await stream.finish()
    stream.close()
    streamed = [(message.scores or {})["a"] for message in messages if isinstance(message, StreamWindow)]
    np.testing.assert_allclose(streamed, [(window.scores or {})["a"] for window in answer.windows or ()], atol=1e-6)
    whole = await add("whole", 32, backbone="mel")
    with pytest.raises(NotForAudio):
        await services.streaming.open(start, whole)


async def test_two_models_share_one_session(services: Services, add: Add) -> None:
    first, second = [
        (await services.predictor.choose(await add(name, 16, backbone="samples", pooling="mean")))[0]
        for name in ("one", "two")
    ]
    assert isinstance(first.engine_model, LocalModel)
    assert isinstance(second.engine_model, LocalModel)
    one, two = first.engine_model.pipeline, second.engine_model.pipeline
    assert one is not two
    assert one._backbone is two._backbone is not None
    assert one.backbone_digest == two.backbone_digest


async def test_a_replaced_backbone_stays_with_the_models_that_were_made_for_it(
    services: Services, add: Add, own: Settings, stocked: Path, sound: Array, tmp_path: Path
) -> None:
    before = await add("before", 16, backbone="samples", pooling="mean")
    earlier = await score(services, before, sound)
    other = save_samples_network(tmp_path / "other.onnx", seed=9)
    given = BackboneSpec.model_validate(SAMPLES_SPEC)
    done = await backbone_installation.install(own, "samples", other, given, lambda _: None)
    assert [each.digest for each in done.kept] != [done.backbone.digest]
    assert len(done.kept) == 1
    async with open_services(own) as restarted:
        assert await score(restarted, before, sound) == earlier
        after = await add("after", 16, backbone="samples", pooling="mean")
        assert await score(restarted, after, sound) != earlier
    [row] = [each for each in await backbone_installation.list_installed(own) if each[0] == done.backbone]
    assert row[1] == [f"after (model {after})"]
    with pytest.raises(BackboneInUse, match=r"needed by after \(model 2\), before \(model 1\)"):
        await backbone_installation.remove(own, "samples")
    moved = ModelUpdate(spec=PartialSpec.model_validate({"backbone": "samples"}))
    await services.model_changes.update(before, moved, "test")
    assert await score(services, before, sound) != earlier


async def test_a_live_model_outlives_its_backbones_file(
    services: Services, add: Add, own: Settings, sound: Array
) -> None:
    model_id = await add("live", 16, backbone="samples", pooling="mean")
    await services.activation.activate(model_id, "test")
    before = await score(services, model_id, sound)
    shutil.rmtree(own.named_backbones_dir)
    assert await score(services, model_id, sound) == before
    await services.activation.activate(model_id, "test")
    assert await score(services, model_id, sound) == before
    async with open_services(own) as restarted:
        with pytest.raises(BackboneMissing, match="The backbone 'samples' is not installed") as caught:
            await restarted.predictor.predict(io.BytesIO(to_wav(sound)), model_id)
    assert "understudy backbone install samples FILE.onnx --spec SPEC.json" in caught.value.remedy


@pytest.mark.skipif(sys.platform != "linux", reason="worker processes need Linux")
async def test_worker_processes_answer_the_same(services: Services, add: Add, own: Settings, sound: Array) -> None:
    model_id = await add("live", 16, backbone="samples", pooling="mean")
    expected = await score(services, model_id, sound)
    async with open_services(own.model_copy(update={"workers": 1}), workers=True) as others:
        assert await score(others, model_id, sound) == pytest.approx(expected, abs=1e-6)


async def test_damaged_files_are_not_served(services: Services, add: Add, own: Settings, sound: Array) -> None:
    model_id = await add("head", 16, backbone="samples", pooling="mean")
    [folder] = [
        f for f in own.named_backbones_dir.iterdir() if '"name": "samples"' in (f / "backbone.json").read_text()
    ]
    save_samples_network(folder / "model.onnx", seed=9)
    with pytest.raises(BackboneMissing, match="missing or damaged"):
        await score(services, model_id, sound)


async def test_a_backbone_that_is_not_installed_is_named_at_registration(add: Add) -> None:
    with pytest.raises(BackboneMissing, match="'panns' is not installed") as caught:
        await add("head", 16, backbone="panns")
    assert "yamnet, mel, samples" in caught.value.remedy


async def test_a_sidecar_names_a_backbone_and_stays_with_it(
    services: Services, own: Settings, stocked: Path, tmp_path: Path
) -> None:
    save_head(own.models_dir / "head.onnx", 16)
    (own.models_dir / "head.spec.json").write_text('{"backbone": "samples", "labels": ["a", "b", "c"]}')
    request = ModelCreate(model_name="head", file_path="models/head.onnx")
    model_id = (await services.registry.register(request, "test")).model_id
    pinned = (await services.registry.read_spec_now(model_id)).model.spec
    other = save_samples_network(tmp_path / "other.onnx", seed=9)
    given = BackboneSpec.model_validate(SAMPLES_SPEC)
    await backbone_installation.install(own, "samples", other, given, lambda _: None)
    now = await services.registry.read_spec_now(model_id)
    assert (now.model.spec, now.pending, now.notes) == (pinned, False, ())


async def test_int8_says_that_it_is_yamnets_only(services: Services, add: Add, tmp_path: Path) -> None:
    model_id = await add("head", 16, backbone="samples", pooling="mean")
    with pytest.raises(CompileFailed, match="this one is on 'samples'"):
        await build_quantizer(services).quantize(model_id, tmp_path, Gate(), "test", lambda _: None)


async def test_status_lists_backbones(services: Services) -> None:
    found = (await services.status_reporter.status()).backbones
    assert [(each.name, each.width, each.sample_rate, each.window_seconds) for each in found] == [
        ("mel", 32, RATE, None),
        ("samples", 16, RATE, 0.5),
    ]


@pytest.mark.parametrize(
    ("name", "changes", "error", "words"),
    [
        ("yamnet", {}, NameRefused, "built-in"),
        ("a//b", {}, NameRefused, "slash"),
        ("YAMNet", {}, NameRefused, "built-in"),
        ("new", {"arrangement": {}}, SpecInvalid, r"makes items of \[\?, 64\]"),
        ("new", {}, Conflict, "installed already, as 'mel'"),
    ],
)
async def test_a_backbone_that_does_not_fit_is_refused_and_leaves_nothing(
    own: Settings, stocked: Path, name: str, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    given = BackboneSpec.model_validate(LOG_MEL_SPEC | changes)
    with pytest.raises(error, match=words):
        await backbone_installation.install(own, name, stocked / "mel.onnx", given, lambda _: None)
    assert len(list(own.named_backbones_dir.iterdir())) == 2


async def test_a_backbone_is_scanned_as_a_model_is(own: Settings, stocked: Path, tmp_path: Path) -> None:
    model = onnx.load(stocked / "mel.onnx")
    model.graph.node[1].domain = "evil"
    model.opset_import.append(onnx.helper.make_opsetid("evil", 1))
    onnx.save(model, tmp_path / "evil.onnx")
    given = BackboneSpec.model_validate(LOG_MEL_SPEC)
    with pytest.raises(ModelUnsafe, match=r"custom operators: evil\.Relu"):
        await backbone_installation.install(own, "evil", tmp_path / "evil.onnx", given, lambda _: None)


async def test_a_graph_of_a_fixed_batch_is_fed_as_it_asks(
    own: Settings, stocked: Path, sound: Array, tmp_path: Path
) -> None:
    file = save_samples_network(tmp_path / "fixed.onnx", batch=3)
    given = BackboneSpec.model_validate(SAMPLES_SPEC)
    done = await backbone_installation.install(own, "fixed", file, given, lambda _: None)
    backbone = InstalledBackbone.load(own.named_backbones_dir / done.backbone.digest)
    items = cut(sound, WINDOW, 2_000)
    expected = run(stocked / "samples.onnx", items, "embedding")
    np.testing.assert_allclose(backbone.compute(InputKind.EMBEDDING, items), expected, atol=1e-6)
