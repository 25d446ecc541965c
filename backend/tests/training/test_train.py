"""A folder of recordings becomes a head that is measured as it will be served."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.conftest import Dataset
from understudy.audio.opening import AudioLimits
from understudy.compiler.compiler import Compiler
from understudy.compiler.model_source import compute_digest
from understudy.errors import BackboneMissing, RequestInvalid, TrainingDataInvalid
from understudy.inference.clip_input.yamnet_backbone import YamnetBackbone
from understudy.inference.pipeline.pipeline import Pipeline
from understudy.inference.proof.clip_proof import prove_clip
from understudy.registry.files.examples_csv import read_folder
from understudy.schemas.compiler.spec import (
    Aggregation,
    InputKind,
    OutputActivation,
    PartialSpec,
)
from understudy.schemas.front_end.head_pooling import HeadPooling
from understudy.settings import Settings
from understudy.training.embeddings import EmbeddingCache
from understudy.training.keras_head import import_keras
from understudy.training.train import TrainingReport, train_head
from understudy.yamnet.install import install_backbone

pytestmark = [
    pytest.mark.frameworks,
    # Keras 3.15 copies TensorFlow's variables in a way that numpy 2 will drop.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]
LABELS = ("alarm_beep", "rain", "sea_waves")
EPOCHS = 30


@dataclass(frozen=True)
class Training:
    settings: Settings
    data: Path
    report: TrainingReport
    progress: list[tuple[str, int, int | None]]


@pytest.fixture(scope="module")
def training(stand_in: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Training:
    home = tmp_path_factory.mktemp("home")
    data = dataset(home / "data", LABELS, 2)
    settings = Settings(home=home, backbone=stand_in)
    progress: list[tuple[str, int, int | None]] = []
    out = settings.models_dir / "head.keras"
    report = train_head(settings, data, out, epochs=EPOCHS, on_progress=lambda *step: progress.append(step))
    return Training(settings, data, report, progress)


@pytest.fixture(scope="module", params=[HeadPooling.NONE, HeadPooling.MEAN_STD])
def product(training: Training, request: pytest.FixtureRequest) -> TrainingReport:
    """The reports of trainings that average after the head and before it."""
    pooling: HeadPooling = request.param
    if pooling is HeadPooling.NONE:
        return training.report
    out = training.settings.home / "pooled" / f"{pooling.name.lower()}.keras"
    return train_head(training.settings, training.data, out, pooling=pooling, epochs=2)


def _read_weights(path: Path) -> list[np.ndarray[Any, Any]]:
    return list(import_keras().models.load_model(path, compile=False).get_weights())


def test_every_clip_is_judged_once_by_a_head_that_never_saw_its_fold(training: Training) -> None:
    evaluation = training.report.evaluation
    assert evaluation.labels == LABELS
    assert [sum(row) for row in evaluation.confusion] == [4, 4, 4]
    assert set(evaluation.fold_accuracy) == {"1", "2"}
    assert evaluation.accuracy == sum(evaluation.confusion[i][i] for i in range(3)) / 12
    assert evaluation.accuracy > 0.8, "beeps, rain and waves are far apart even for the stand-in"


def test_the_spec_beside_the_model_says_how_it_is_served(training: Training) -> None:
    report = training.report
    assert report.model_path.is_file()
    assert report.spec_path == report.model_path.with_name("head.spec.json")
    written = PartialSpec.model_validate_json(report.spec_path.read_bytes())
    assert written == report.spec
    assert not {"sound", "pooling", "arrangement", "tail", "sample_rate"} & {
        name for name, value in written if value is None
    }
    assert (written.input, written.activation, written.aggregation, written.labels) == (
        InputKind.EMBEDDING,
        OutputActivation.SOFTMAX,
        Aggregation.MEAN,
        LABELS,
    )


def test_progress_covers_every_step(training: Training) -> None:
    ends = [step for step in training.progress if step[1] == step[2]]
    assert ends == [
        ("embed", 12, 12),
        ("fold 1", EPOCHS, EPOCHS),
        ("fold 2", EPOCHS, EPOCHS),
        ("final", EPOCHS, EPOCHS),
    ]


def test_nothing_but_model_spec_examples_and_embeddings_is_left_behind(training: Training) -> None:
    models = sorted(path.name for path in training.settings.models_dir.iterdir())
    assert models == ["head.examples", "head.keras", "head.spec.json"]
    assert {path.suffix for path in training.settings.var_dir.rglob("*.*") if path.is_file()} == {".npy"}


@pytest.mark.long
def test_a_seed_gives_the_same_head_again(training: Training, tmp_path: Path) -> None:
    again = train_head(training.settings, training.data, tmp_path / "again.keras", epochs=EPOCHS, examples=False)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["again.keras", "again.spec.json"]
    assert again.evaluation == training.report.evaluation
    for first, second in zip(_read_weights(training.report.model_path), _read_weights(again.model_path), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_examples_hold_what_keras_says_about_the_trained_features(
    training: Training, product: TrainingReport
) -> None:
    head = import_keras().models.load_model(product.model_path, compile=False)
    cache = EmbeddingCache(
        training.settings.var_dir / "embeddings", YamnetBackbone.load(training.settings.backbone_path), 60
    )
    assert product.examples_path is not None
    examples = read_folder(product.examples_path)
    assert len(examples) == product.examples == 12
    for example in examples:
        rows = cache.get(example.path)
        if product.pooling is not HeadPooling.NONE:
            rows = np.concatenate([rows.mean(axis=0), rows.std(axis=0)])[None, : head.input_shape[1]]
        expected = np.asarray(head(rows)).mean(axis=0)
        np.testing.assert_allclose(list(example.expected.scores.values()), expected, atol=1e-5)


@pytest.mark.anyio
async def test_what_is_served_is_what_the_training_computed(
    training: Training, product: TrainingReport, settings: Settings
) -> None:
    source = settings.models_dir / "head.keras"
    source.write_bytes(product.model_path.read_bytes())
    spec = PartialSpec.model_validate_json(product.spec_path.read_bytes())
    compiled = await Compiler(settings).compile(source, compute_digest(source), spec)
    pipeline = Pipeline.load(
        compiled.folder, backbone=YamnetBackbone.load(training.settings.backbone_path), max_whole_clip_seconds=60
    )
    assert pipeline.spec.assumptions == ()
    assert product.examples_path is not None
    for example in read_folder(product.examples_path):
        proof = prove_clip(pipeline, example.path.read_bytes(), example.expected, AudioLimits(max_seconds=60))
        assert proof.agrees, proof.describe()
        assert proof.max_difference is not None
        assert proof.max_difference < 1e-5


def test_a_clip_that_is_too_long_to_be_pooled_is_named(training: Training, tmp_path: Path) -> None:
    short = training.settings.model_copy(update={"max_whole_clip_seconds": 1.0})
    with pytest.raises(TrainingDataInvalid, match=r"1-0\.wav lasts about 2 s"):
        train_head(short, training.data, tmp_path / "head.keras", pooling=HeadPooling.MEAN)


def test_an_existing_file_is_kept_without_overwrite(training: Training) -> None:
    with pytest.raises(RequestInvalid, match=r"head\.keras exists"):
        train_head(training.settings, training.data, training.report.model_path)


def test_only_keras_files_are_written(training: Training, tmp_path: Path) -> None:
    with pytest.raises(RequestInvalid, match=r"head\.onnx"):
        train_head(training.settings, training.data, tmp_path / "head.onnx")


def test_without_a_backbone_the_command_is_named(training: Training, settings: Settings) -> None:
    with pytest.raises(BackboneMissing) as missing:
        train_head(settings, training.data, settings.models_dir / "head.keras")
    assert "understudy backbone install" in missing.value.remedy


def test_an_unreadable_clip_stops_the_training_by_name(training: Training, dataset: Dataset, tmp_path: Path) -> None:
    data = dataset(tmp_path / "data", LABELS[:2], 2)
    (data / "rain" / "2-broken.ogg").write_bytes(b"OggS nothing more")
    out = tmp_path / "head.keras"
    with pytest.raises(TrainingDataInvalid, match=r"2-broken\.ogg"):
        train_head(training.settings, data, out)
    assert not out.exists()


@pytest.mark.data
@pytest.mark.long
def test_real_recordings_are_told_apart(settings: Settings, data_dir: Path, tmp_path: Path) -> None:
    install_backbone(settings, data_dir / "yamnet" / "yamnet.npz")
    chosen = tmp_path / "recordings"
    for label in ("baby_cry", "dog_bark", "rain", "sea_waves"):
        (chosen / label).mkdir(parents=True)
        for clip in (data_dir / "esc10" / label).glob("[123]-*.ogg"):
            (chosen / label / clip.name).symlink_to(clip)
    report = train_head(settings, chosen, settings.models_dir / "esc.keras", epochs=15)
    assert report.recordings == 96
    assert report.evaluation.accuracy >= 0.95
